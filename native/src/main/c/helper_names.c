#include "helper_names.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define ASIDE ".process-sandbox-"
#define ASIDE_DIGITS 8

/*
 * A file system that ignores case finds `.GIT` when a tool asks for `.git`. One with Unicode folding (ext4's and f2fs'
 * casefold) also ignores code points such as U+200C, and takes U+017F for an s and U+212A for a k. So bytes beyond
 * ASCII do not count here, except those two. Too many matches harm nobody: such names mean nothing else.
 */
static bool is_name(const char *name, const char *expected)
{
    const unsigned char *at = (const unsigned char *)name;
    while (*at != '\0') {
        unsigned char c = *at++;
        if (c == 0xC5 && *at == 0xBF) {
            at++;
            c = 's';
        } else if (c == 0xE2 && at[0] == 0x84 && at[1] == 0xAA) {
            at += 2;
            c = 'k';
        }
        if (c >= 0x80)
            continue;
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c - 'A' + 'a');
        if (c != (unsigned char)*expected++)
            return false;
    }
    return *expected == '\0';
}

enum kind kind_of_name(const char *name)
{
    static const struct {
        const char *name;
        enum kind kind;
    } names[] = {{".git", KIND_GIT_DIRECTORY}, {".hg", KIND_HG}, {".bzr", KIND_BZR}, {".svn", KIND_SVN}};
    for (size_t i = 0; i < NELEM(names); i++)
        if (is_name(name, names[i].name))
            return names[i].kind;
    return KIND_COUNT;
}

/*
 * As git finds out whether a directory is a repository (is_git_directory() in its setup.c): HEAD is a file or a link;
 * objects and refs can be entered, whatever they are; or commondir leads to them.
 */
unsigned looks_of(const char *name, unsigned char type)
{
    if (is_name(name, "head"))
        return type != DT_DIR ? LOOKS_HEAD : 0;
    if (is_name(name, "commondir"))
        return type != DT_DIR ? LOOKS_COMMONDIR : 0;
    return is_name(name, "objects") ? LOOKS_OBJECTS : is_name(name, "refs") ? LOOKS_REFS : 0;
}

bool looks_bare(unsigned looks)
{
    const unsigned own = LOOKS_OBJECTS | LOOKS_REFS;
    return (looks & LOOKS_HEAD) != 0 && ((looks & own) == own || (looks & LOOKS_COMMONDIR) != 0);
}

bool aside_name(char out[NAME_MAX + 1], const char *name, uint32_t number)
{
    int size = snprintf(out, NAME_MAX + 1, "%s" ASIDE "%08x", name, (unsigned)number);
    return size > 0 && size <= NAME_MAX;
}

bool aside_original(char out[NAME_MAX + 1], const char *name)
{
    size_t length = strlen(name);
    size_t added = sizeof ASIDE - 1 + ASIDE_DIGITS;
    if (length <= added || length > NAME_MAX)
        return false;
    size_t original = length - added;
    if (memcmp(name + original, ASIDE, sizeof ASIDE - 1) != 0 ||
        strspn(name + length - ASIDE_DIGITS, "0123456789abcdef") != ASIDE_DIGITS)
        return false;
    memcpy(out, name, original);
    out[original] = '\0';
    return kind_of_name(out) != KIND_COUNT || (looks_of(out, DT_REG) & (LOOKS_HEAD | LOOKS_COMMONDIR)) != 0;
}

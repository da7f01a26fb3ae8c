/* What the parts of the helper share: the job's descriptors, its output, and the problems that it met. */
#pragma once

#include "helper_files.h"

#define PROBLEMS_MAX 100
#define PROBLEM_PATH_MAX 4096

struct output {
    int fd;
    size_t used;
    char buffer[16384];
};

struct helper {
    struct places places;
    struct output output;
    size_t problems;   /* since problems_forget() */
    size_t noted_size; /* of the noted words */
    size_t noted;      /* how many problems they are */
    char notes[PROBLEMS_MAX * 512];
    struct path path; /* where the job is, relative to its directory */
};

/*
 * The grammar of the output. Each word ends with NUL; paths are bytes.
 *
 *   output    = "process-sandbox-helper" "1" section* "end"
 *   section   = "section" NAME item* ("complete" | "incomplete")
 *   NAME      = "removal" | "closing" | "opening"
 *   item      = "known" KIND PATH
 *             | "quarantined" KIND REASON PATH   at most 200, then
 *             | "more" COUNT
 *             | "restored" COUNT                 put back to their places
 *             | "purged" COUNT                   quarantined for too long, removed
 *             | "problem" WHAT ERRNO PATH        at most 100, then
 *             | "problems" COUNT                 of all
 */
void output_word(struct output *output, const char *word);
void output_number(struct output *output, uint64_t number);
void output_flush(struct output *output);

/*
 * Notes what could not be done, by its errno (0: none) and the current path with name below it (NULL: none). Only the
 * first are kept; all are counted. Notes are forgotten when a job tries again, and written out by section_end().
 */
void problem(struct helper *helper, const char *what, int error, const char *name);
void problems_forget(struct helper *helper);

void section_begin(struct helper *helper, const char *name);
/* complete: also when there are problems, where they do not stand for something that is left. Forgets the problems. */
void section_end(struct helper *helper, bool complete);

/* helper_remove.c */
/*
 * Removes everything in a directory that fd lists. True when nothing is left. Memory and descriptors do not depend on
 * what is in there.
 */
bool remove_content(struct helper *helper, int fd);

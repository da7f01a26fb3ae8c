/* Names that version control tools look for. Pure. */
#pragma once

#include "helper_record.h"

/* What a name is to a tool, wherever it lies. KIND_COUNT for any other name; KIND_GIT_DIRECTORY for `.git` of any type.
 */
enum kind kind_of_name(const char *name);

/* What of a bare repository a directory has. */
#define LOOKS_HEAD 1U
#define LOOKS_OBJECTS 2U
#define LOOKS_REFS 4U
#define LOOKS_COMMONDIR 8U

unsigned looks_of(const char *name, unsigned char type);
bool looks_bare(unsigned looks);

/* `NAME.process-sandbox-0123abcd`, or false when that is too long. */
bool aside_name(char out[NAME_MAX + 1], const char *name, uint32_t number);
/* The name before; false for any other name, and for one that is not of a tool. */
bool aside_original(char out[NAME_MAX + 1], const char *name);

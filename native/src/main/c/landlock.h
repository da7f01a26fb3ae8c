/* What landlock.c and landlock_hidden.c share. */
#pragma once

#include "sequence.h"

/* Whether a path of the plan is one whose content the rules leave out, where no mount covers it. */
bool landlock_hides(const struct plan *plan, const struct mount_step *step);

/* Whether the rules name the target of a step itself. */
bool landlock_names(const struct plan *plan, const struct mount_step *step);

/*
 * Row landlock_fs, read back where there is no view: tries to read what is to be hidden. 0, or -1 with a failure that
 * names what could be read.
 */
int landlock_check_hidden(const struct plan *plan, struct failure *failure);

#define PROBE_NAME_SIZE 40

/* A name for a file by which a row is read back: one that no build can have made before. 0, or -1 with a failure. */
int landlock_probe_name(char name[PROBE_NAME_SIZE], struct failure *failure);

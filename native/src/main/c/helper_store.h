/* Where entries go that tools outside must not see, and how they come back. */
#pragma once

#include "helper_names.h"

#define STORE_MAX 1000 /* entries that a later block has not taken back */

struct store {
    struct helper *helper;
    int repositories; /* lists the entries; -1: not opened yet, or there is no store */
    bool tried;
    uint64_t next; /* number of the next entry */
};

void store_init(struct store *store, struct helper *helper);
void store_close(struct store *store);

/*
 * Takes an entry out of the workspace: into the store; where that cannot be, by another name in its place; at last by
 * removing what makes it a repository. helper->path is the parent's. 0, or -1 with the errno of the first attempt.
 */
int set_aside(struct store *store, int parent, const char *name, enum kind kind);
/* Moves a directory that is too deep to another one, to be looked into there. 0 or -1. */
int hoist(int parent, const char *name, int to);

/* Puts entries back to their places, where nothing is there. Returns their number. */
uint64_t store_restore(struct store *store);
/* Removes the oldest entries beyond STORE_MAX. Returns their number. */
uint64_t store_purge(struct store *store);

/* Gives an entry that was renamed in its place its name back, if that is free. 0 or -1. */
int put_back(int parent, const char *name);

/* The walk through a workspace. */
#pragma once

#include "helper_store.h"

#define SHOWN_MAX 200 /* quarantined entries that are named */

enum purpose {
    PURPOSE_FIND,     /* adds to the record what tools outside may obey */
    PURPOSE_JUDGE,    /* takes out what is not in the record, or not as it was */
    PURPOSE_PUT_BACK, /* gives entries that were renamed in their places their names back */
};

enum reason { REASON_NEW, REASON_CHANGED, REASON_REPLACED, REASON_TOO_DEEP, REASON_UNREADABLE };

struct walk {
    struct helper *helper;
    struct store *store;
    struct record *record;
    enum purpose purpose;
    uint64_t moved;       /* entries, by this pass */
    uint64_t left;        /* entries that tools outside find and should not, or directories that nobody looked into */
    uint64_t renamed;     /* entries whose names say that they were renamed in their places */
    uint64_t quarantined; /* by all passes */
    struct walk_level *levels;
    size_t depth;
    size_t deepest;
};

/* False when there is no memory for it. */
bool walk_make(struct walk *walk, struct helper *helper, struct store *store, struct record *record);
void walk_free(struct walk *walk);

/* Goes through everything once. */
void walk_once(struct walk *walk, enum purpose purpose);

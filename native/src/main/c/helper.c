#include "helper_walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSES_MAX 1000

static const char *const job_names[] = {
    [JOB_REMOVE] = "remove", [JOB_BEGIN] = "begin", [JOB_CHECK] = "check", [JOB_ADOPT] = "adopt", [JOB_END] = "end"};

bool job_parse(const char *name, enum job *job)
{
    for (size_t i = JOB_REMOVE; i < NELEM(job_names); i++)
        if (strcmp(name, job_names[i]) == 0) {
            *job = (enum job)i;
            return true;
        }
    return false;
}

/* ---- output ---- */

void output_flush(struct output *output)
{
    /* The reader may be gone: the job goes on, and nobody takes it for complete. */
    if (output->fd >= 0 && write_all(output->fd, output->buffer, output->used) != 0)
        output->fd = -1;
    output->used = 0;
}

static void output_bytes(struct output *output, const char *bytes, size_t size)
{
    while (size > 0) {
        size_t room = sizeof output->buffer - output->used;
        size_t taken = size < room ? size : room;
        memcpy(output->buffer + output->used, bytes, taken);
        output->used += taken;
        bytes += taken;
        size -= taken;
        if (output->used == sizeof output->buffer)
            output_flush(output);
    }
}

void output_word(struct output *output, const char *word)
{
    output_bytes(output, word, strlen(word) + 1);
}

void output_number(struct output *output, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    output_word(output, text);
}

/* ---- problems ---- */

void problems_forget(struct helper *helper)
{
    helper->problems = 0;
    helper->noted = 0;
    helper->noted_size = 0;
}

static bool note_word(struct helper *helper, const char *word, size_t length)
{
    if (length >= sizeof helper->notes - helper->noted_size)
        return false;
    memcpy(helper->notes + helper->noted_size, word, length);
    helper->notes[helper->noted_size + length] = '\0';
    helper->noted_size += length + 1;
    return true;
}

void problem(struct helper *helper, const char *what, int error, const char *name)
{
    char number[16];
    size_t start = helper->noted_size;
    size_t before = helper->path.length;
    helper->problems++;
    if (helper->noted == PROBLEMS_MAX)
        return;
    if (name != NULL && !path_push(&helper->path, name))
        name = NULL;
    size_t length = helper->path.length;
    if (length > PROBLEM_PATH_MAX)
        length = PROBLEM_PATH_MAX;
    (void)snprintf(number, sizeof number, "%d", error);
    if (note_word(helper, what, strlen(what)) && note_word(helper, number, strlen(number)) &&
        note_word(helper, helper->path.text, length))
        helper->noted++;
    else
        helper->noted_size = start;
    path_cut(&helper->path, before);
}

void section_begin(struct helper *helper, const char *name)
{
    output_word(&helper->output, "section");
    output_word(&helper->output, name);
}

void section_end(struct helper *helper, bool complete)
{
    struct output *output = &helper->output;
    for (size_t at = 0; at < helper->noted_size;) {
        output_word(output, "problem");
        for (size_t word = 0; word < 3; word++) {
            output_word(output, helper->notes + at);
            at += strlen(helper->notes + at) + 1;
        }
    }
    if (helper->problems > helper->noted) {
        output_word(output, "problems");
        output_number(output, helper->problems);
    }
    output_word(output, complete ? "complete" : "incomplete");
    problems_forget(helper);
}

/* ---- jobs ---- */

static bool run_remove(struct helper *helper)
{
    section_begin(helper, "removal");
    bool complete = false;
    int fd CLEANUP_FD = reopen_directory(helper->places.directory);
    if (fd < 0)
        problem(helper, "open", errno, NULL);
    else
        complete = remove_content(helper, fd);
    section_end(helper, complete);
    return complete;
}

/* Of a workspace that is looked at. */
struct inspection {
    struct helper *helper;
    struct store store;
    struct record record;
    struct walk walk;
    int record_error; /* why there is nothing in the record, or 0 */
};

static bool inspection_make(struct inspection *inspection, struct helper *helper)
{
    inspection->helper = helper;
    inspection->record_error = 0;
    store_init(&inspection->store, helper);
    return record_make(&inspection->record) &&
           walk_make(&inspection->walk, helper, &inspection->store, &inspection->record);
}

static void inspection_free(struct inspection *inspection)
{
    walk_free(&inspection->walk);
    record_free(&inspection->record);
    store_close(&inspection->store);
}

/*
 * Reads the record of the open block. Without one that makes sense nothing is known, and everything is quarantined.
 * False when there is none.
 */
static bool read_record(struct inspection *inspection)
{
    int found = record_read(&inspection->record, inspection->helper->places.records);
    inspection->record_error = found < 0 ? errno : 0;
    return found != 0;
}

/*
 * Until a pass finds nothing to take out: a listing may have skipped names, or a directory come nearer to the top. The
 * record goes last, so that an interrupted end is completed by the next begin.
 */
static bool run_closing(struct inspection *inspection, bool last)
{
    struct helper *helper = inspection->helper;
    struct walk *walk = &inspection->walk;
    section_begin(helper, "closing");
    for (size_t pass = 0; pass == 0 || (walk->moved > 0 && pass < PASSES_MAX); pass++) {
        if (pass > 0)
            problems_forget(helper);
        walk_once(walk, PURPOSE_JUDGE);
    }
    if (walk->quarantined > SHOWN_MAX) {
        output_word(&helper->output, "more");
        output_number(&helper->output, walk->quarantined - SHOWN_MAX);
    }
    if (inspection->record_error != 0)
        problem(helper, "the record cannot be read: nothing is known", inspection->record_error, NULL);
    bool complete = walk->moved == 0 && walk->left == 0;
    if (complete && last && record_remove(helper->places.records) != 0) {
        problem(helper, "remove the record", errno, NULL);
        complete = false;
    }
    section_end(helper, complete);
    return complete;
}

static void put_count(struct helper *helper, const char *word, uint64_t count)
{
    if (count == 0)
        return;
    output_word(&helper->output, word);
    output_number(&helper->output, count);
}

/* Everything that is there now is known; what comes back after that is not. */
static bool run_opening(struct inspection *inspection)
{
    struct helper *helper = inspection->helper;
    struct walk *walk = &inspection->walk;
    struct record *record = &inspection->record;
    section_begin(helper, "opening");
    record->count = 0;
    record->paths_size = 0;
    walk_once(walk, PURPOSE_FIND);
    bool complete = record_write(record, helper->places.records) == 0;
    if (!complete)
        problem(helper, "write the record", errno, NULL);
    for (size_t i = 0; complete && i < record->count; i++) {
        output_word(&helper->output, "known");
        output_word(&helper->output, kind_name(record->known[i].kind));
        output_word(&helper->output, record->known[i].path);
    }
    uint64_t restored = 0;
    if (complete) {
        restored = store_restore(&inspection->store);
        put_count(helper, "purged", store_purge(&inspection->store));
    }
    if (complete && walk->renamed > 0) {
        walk_once(walk, PURPOSE_PUT_BACK);
        restored += walk->moved;
    }
    put_count(helper, "restored", restored);
    section_end(helper, complete);
    return complete;
}

/* A build may have taken its own rights to the workspace away. */
static void grant_top(const struct helper *helper)
{
    struct stat status;
    if (fstat(helper->places.directory, &status) == 0)
        (void)grant_fd(helper->places.directory,
                       (status.st_mode & 07777) | 0700); /* or opening it fails, and is reported */
}

static bool run_inspection(struct helper *helper, enum job job)
{
    struct inspection inspection;
    bool complete = false;
    if (!inspection_make(&inspection, helper)) {
        section_begin(helper, job == JOB_ADOPT ? "opening" : "closing");
        problem(helper, "allocate", errno, NULL);
        section_end(helper, false);
    } else {
        grant_top(helper);
        if (job == JOB_ADOPT) {
            complete = run_opening(&inspection);
        } else {
            bool open = read_record(&inspection);
            complete = (job == JOB_BEGIN && !open) || run_closing(&inspection, job == JOB_END);
            if (complete && job == JOB_BEGIN)
                complete = run_opening(&inspection);
        }
    }
    inspection_free(&inspection);
    return complete;
}

int helper_run(enum job job, const struct places *places, int out)
{
    struct helper *helper = calloc(1, sizeof *helper);
    if (helper == NULL)
        return 1;
    helper->places = *places;
    helper->output.fd = out;
    output_word(&helper->output, "process-sandbox-helper");
    output_word(&helper->output, "1");
    bool complete = job == JOB_REMOVE ? run_remove(helper) : run_inspection(helper, job);
    output_word(&helper->output, "end");
    output_flush(&helper->output);
    free(helper);
    return complete ? 0 : 1;
}

#include "helper_job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int helper_run(enum job job, const struct places *places, int out)
{
    struct helper *helper = calloc(1, sizeof *helper);
    if (helper == NULL)
        return 1;
    helper->places = *places;
    helper->output.fd = out;
    output_word(&helper->output, "process-sandbox-helper");
    output_word(&helper->output, "1");
    bool complete = false;
    switch (job) {
    case JOB_REMOVE:
        complete = run_remove(helper);
        break;
    case JOB_BEGIN:
    case JOB_CHECK:
    case JOB_ADOPT:
    case JOB_END:
    case JOB_NONE:
        break;
    }
    output_word(&helper->output, "end");
    output_flush(&helper->output);
    free(helper);
    return complete ? 0 : 1;
}

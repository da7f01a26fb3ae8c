#include "processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The process that /proc/<name>/stat tells of (proc_pid_stat(5)); false when it is gone or name is no process. */
static bool read_process(const char *name, struct process *process)
{
    char path[64];
    char text[1024];
    uint64_t pid;
    int parent;
    unsigned long long user, system;
    long long children_user, children_system, threads;
    if (!parse_number(name, INT32_MAX, &pid))
        return false;
    (void)snprintf(path, sizeof path, "/proc/%s/stat", name);
    if (read_file_at(AT_FDCWD, path, text, sizeof text) < 0)
        return false;
    const char *end = strrchr(text, ')'); /* the name before it may hold anything */
    if (end == NULL || sscanf(end, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld %*d %*d %lld",
                              &parent, &user, &system, &children_user, &children_system, &threads) != 6)
        return false;
    *process = (struct process){.pid = (pid_t)pid,
                                .parent = parent,
                                .ours = false,
                                .threads = (uint64_t)threads,
                                .cpu_ticks = user + system + (uint64_t)(children_user + children_system)};
    return true;
}

/* The descendants of those that are marked already. */
static void mark_descendants(struct process *list, size_t count)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < count; i++) {
            bool ours = list[i].ours;
            for (size_t j = 0; !ours && j < count; j++)
                ours = list[j].ours && list[j].pid == list[i].parent;
            if (ours && !list[i].ours) {
                list[i].ours = true;
                more = true;
            }
        }
    }
}

static void mark_ours(struct process *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        list[i].ours = list[i].parent == getpid();
    mark_descendants(list, count);
}

void mark_family(struct process *list, size_t count, pid_t root)
{
    for (size_t i = 0; i < count; i++)
        list[i].ours = list[i].pid == root;
    mark_descendants(list, count);
}

struct process *list_processes(size_t *count)
{
    size_t capacity = 0, used = 0;
    struct process *list = NULL;
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        return NULL;
    for (struct dirent *entry = readdir(proc); entry != NULL; entry = readdir(proc)) {
        if (used == capacity) {
            size_t larger_capacity = capacity == 0 ? 1024 : capacity * 2;
            struct process *larger = realloc(list, larger_capacity * sizeof *list);
            if (larger == NULL)
                break; /* a part is better than nothing */
            list = larger;
            capacity = larger_capacity;
        }
        if (read_process(entry->d_name, &list[used]))
            used++;
    }
    (void)closedir(proc);
    if (list != NULL)
        mark_ours(list, used);
    *count = used;
    return list;
}

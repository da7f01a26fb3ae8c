#include "task.h"

#include "mounting.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define STATUS_MAX 255

void task_watch(struct task *task, const struct plan *plan)
{
    char path[PATH_MAX];
    *task = (struct task){.directory = -1, .events = -1, .status = -1};
    const char *slash = plan->task_result == NULL ? NULL : strrchr(plan->task_result, '/');
    if (slash == NULL)
        return;
    (void)snprintf(path, sizeof path, "%.*s", slash == plan->task_result ? 1 : (int)(slash - plan->task_result),
                   plan->task_result);
    task->directory = walk_from_root(path);
    if (task->directory < 0)
        return;
    task->result = slash + 1;
    task->events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (task->events >= 0 &&
        inotify_add_watch(task->events, path, IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR | IN_DONT_FOLLOW) <
            0)
        close_fd(&task->events);
}

/* The status; -1 when the file holds none. False when there is no such file. Everything in it is the command's. */
static bool read_status(const struct task *task, int *status)
{
    char text[16];
    struct stat kind;
    uint64_t value;
    int file CLEANUP_FD =
        openat(task->directory, task->result, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (file < 0 || fstat(file, &kind) != 0 || !S_ISREG(kind.st_mode))
        return false;
    ssize_t n = read(file, text, sizeof text - 1);
    if (n <= 0)
        return false; /* not written yet */
    text[n] = '\0';
    text[strcspn(text, "\r\n \t")] = '\0';
    *status = parse_number(text, STATUS_MAX, &value) ? (int)value : -1;
    return true;
}

bool task_ends(struct task *task)
{
    char events[4096];
    struct stat kind;
    if (task->result == NULL || task->over)
        return false;
    while (task->events >= 0 && read(task->events, events, sizeof events) > 0)
        ; /* what happened is looked at, not listened to */
    bool gone = fstat(task->directory, &kind) != 0 || kind.st_nlink == 0;
    if (!read_status(task, &task->status) && !gone)
        return false;
    task->over = true;
    close_fd(&task->events);
    close_fd(&task->directory);
    return true;
}

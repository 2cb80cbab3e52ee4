/* Children of the test's process. */

#ifndef CHILD_H
#define CHILD_H

#include "check.h"

#include <sys/wait.h>

/* The exit code of a child, which ends by itself and in time. */
static inline int wait_child(pid_t child) {
    int status = -1;
    long long until = now_ms() + PATIENCE_MS;
    for (pid_t ended; (ended = waitpid(child, &status, WNOHANG)) != child;) {
        CHECK_EQUAL(ended, 0);
        if (now_ms() > until) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            check_failed(__FILE__, __LINE__, "the child hangs");
        }
        pass_ms(1);
    }
    if (WIFSIGNALED(status))
        check_failed(__FILE__, __LINE__, text("the child ends by signal %d", WTERMSIG(status)));
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#endif

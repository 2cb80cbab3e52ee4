/* The command lines of chat and qr_login: flags with a value each. */
#ifndef FLAGS_H
#define FLAGS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2

struct flag {
    const char *name, **value;
};

/* The server that `im-server with` names, or the one that listens where im-server does. */
static inline const char *default_root(void) {
    const char *root = getenv("IM_ROOT");
    return root != NULL ? root : "http://127.0.0.1:7001";
}

/* `flags` ends with one without a name. Says what is wrong. */
static inline bool read_flags(int argc, char **argv, const struct flag *flags) {
    for (int i = 1; i < argc; i += 2) {
        const struct flag *it = flags;
        while (it->name != NULL && strcmp(it->name, argv[i]) != 0)
            it++;
        if (it->name == NULL || i + 1 == argc) {
            fprintf(stderr, "usage: %s", argv[0]);
            for (it = flags; it->name != NULL; it++)
                fprintf(stderr, " [%s ...]", it->name);
            fputs("\n", stderr);
            return false;
        }
        *it->value = argv[i + 1];
    }
    return true;
}

#endif

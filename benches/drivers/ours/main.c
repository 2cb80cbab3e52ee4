/* The driver of libim_client: `ours ROOT MEASURE N [SIZE]`, see benches/README.md. */
#include "driver.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    measure_fn *run;
} measures[] = {
    {"receive", receive},  {"receive-among", receive_among},
    {"emit", emit},        {"roundtrip", round_trip},
    {"pair", pair},        {"inflight", in_flight},
    {"connect", connects}, {"idle", idle},
    {"clients", clients},  {"fleet", fleet},
    {"queue", queue},      {"create", create},
};

int main(int argc, char **argv) {
    if (argc != 4 && argc != 5)
        fail("ours ROOT MEASURE N [SIZE]");
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        if (strcmp(measures[i].name, argv[2]) == 0) {
            measures[i].run(argv[1], atol(argv[3]), argc == 5 ? atol(argv[4]) : 0);
            return 0;
        }
    }
    fail("%s: no such measure", argv[2]);
}

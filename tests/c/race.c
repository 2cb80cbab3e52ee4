/* What ThreadSanitizer has to report: two threads write the same without a lock, one of them the
 * library's. */

#include "check.h"

static int written;
static atomic_bool called;

static void on_event(const im_event *event, void *data) {
    (void)event, (void)data;
    written++;
    atomic_store_explicit(&called, true, memory_order_relaxed);
}

static void a_race_made_on_purpose(void) {
    im_client client = new_client("/", "");
    CHECK(im_client_on(client, "connect", on_event, NULL) > 0);
    while (!atomic_load_explicit(&called, memory_order_relaxed))
        pass_ms(1);
    written++;
    destroy(client);
}

CASES("race", CASE(a_race_made_on_purpose))

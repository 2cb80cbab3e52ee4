/* What a client identifies itself with is wiped from the process's memory, when it is replaced and
 * when the client is destroyed. All memory that can be written is searched for it. */

#include "check.h"

#include <fcntl.h>

/* Every secret begins with this, and ends with a letter that tells which it is. It stands nowhere
 * in this program: the search would find it there. */
static const unsigned char CODE[] =
    "\x2c\x0f\x6c\x24\x02\x67\x23\x1f\x6d\x3e\x17\x60\x27\x0c\x66\x38";
/* The allocator itself writes over the first bytes of what is freed. */
enum { KEY = 0x55, LENGTH = sizeof CODE - 1, LEAD = 40, PIECE = 1 << 20 };

static char options[2048];
static unsigned char piece[PIECE + LENGTH];

/* Writes a text; a $ is the beginning of a secret. */
static const char *write_secrets(const char *form) {
    char *at = options;
    for (; *form != '\0'; form++) {
        CHECK(at + LEAD + LENGTH + 1 < options + sizeof options);
        if (*form != '$') {
            *at++ = *form;
            continue;
        }
        for (int i = 0; i < LEAD; i++)
            *at++ = 'x';
        for (int i = 0; i < LENGTH; i++)
            *at++ = (char)(CODE[i] ^ KEY);
    }
    *at = '\0';
    return options;
}

static void forget(void) { explicit_bzero(options, sizeof options); }

static bool is_secret(const unsigned char *at) {
    int i = 0;
    while (i < LENGTH && (at[i] ^ KEY) == CODE[i])
        i++;
    return i == LENGTH;
}

/* Notes the letters of the secrets in a piece. */
static void search_piece(size_t size, char *found) {
    const unsigned char *at = piece, *end = piece + size;
    while (end - at > LENGTH &&
           (at = memchr(at, CODE[0] ^ KEY, (size_t)(end - at - LENGTH))) != NULL) {
        if (is_secret(at) && strchr(found, at[LENGTH]) == NULL)
            found[strlen(found)] = (char)at[LENGTH];
        at++;
    }
}

/* The letters of the secrets that are anywhere in memory. */
static const char *search(void) {
    static char found[64];
    memset(found, 0, sizeof found);
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY);
    CHECK(maps != NULL && memory >= 0);
    char line[512], mode[8];
    unsigned long from, to;
    while (fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[1] != 'w')
            continue;
        for (; from < to; from += PIECE) {
            size_t size = to - from < sizeof piece ? to - from : sizeof piece;
            ssize_t got = pread(memory, piece, size, (off_t)from);
            if (got > 0)
                search_piece((size_t)got, found);
            explicit_bzero(piece, sizeof piece);
        }
    }
    fclose(maps);
    close(memory);
    return found;
}

static void check_nothing_is_left(void) {
    /* The last who has it may be a thread of the library. */
    long long end = now_ms() + PATIENCE_MS;
    while (search()[0] != '\0' && now_ms() < end)
        pass_ms(20);
    const char *left = search();
    if (left[0] != '\0')
        printf("left in memory: %s\n", left);
    CHECK_EQUAL(left[0], '\0');
}

static bool has(const char *letters) {
    const char *found = search();
    return strspn(letters, found) == strlen(letters);
}

static im_client secret_client(const char *form) {
    im_client client = im_client_new(write_secrets(form));
    forget();
    CHECK(client != 0);
    return client;
}

static void what_was_never_sent(void) {
    im_client client = secret_client(
        "{\"root\":\"http://"
        "192.0.2.1:1\",\"nsp\":\"chat\",\"autoConnect\":false,\"multiplex\":true,"
        "\"query\":{\"token\":\"$q\"},\"auth\":{\"deep\":[{\"token\":\"$a\"}]},"
        "\"extraHeaders\":{\"Authorization\":\"Bearer $h\",\"Cookie\":\"session=$h\"},"
        "\"transportOptions\":{\"polling\":{\"extraHeaders\":{\"X-Token\":\"$t\"}}},"
        "\"proxy\":\"http://user:$p@192.0.2.2:3128\"}");
    CHECK(has("qaht"));
    destroy(client);
    check_nothing_is_left();
}

static void what_was_replaced(void) {
    im_client client =
        secret_client("{\"root\":\"http://192.0.2.1:1\",\"nsp\":\"/\",\"autoConnect\":"
                      "false,\"query\":{\"t\":\"$q\"},\"auth\":{\"t\":\"$a\"}}");
    CHECK(has("qa"));
    CHECK_EQUAL(im_client_set_query(client, write_secrets("{\"t\":\"$r\"}")), IM_OK);
    CHECK_EQUAL(im_client_set_auth(client, write_secrets("{\"t\":\"$b\"}")), IM_OK);
    forget();
    CHECK(has("rb"));
    CHECK_EQUAL(im_client_set_query(client, "{}"), IM_OK);
    CHECK_EQUAL(im_client_set_auth(client, NULL), IM_OK);
    /* The options are kept until the end. */
    const char *found = search();
    CHECK(strpbrk(found, "rb") == NULL);
    destroy(client);
    check_nothing_is_left();
}

static void what_was_refused(void) {
    static const char *const wrong[] = {
        "{\"query\":{\"token\":\"$q\"},\"auth\":{\"token\":\"$a\"},\"extraHeaders\":{\"X\":\"$h\"}"
        "}",
        "{\"root\":\"http://h:1\",\"nsp\":\"/\",\"query\":{\"token\":[\"$q\"]}}",
        "{\"root\":\"http://h:1\",\"nsp\":\"/\",\"auth\":[\"$a\"],\"query\":{\"token\":\"$q\"}}",
        "{\"root\":\"http://h:1\",\"nsp\":\"/\",\"key\":\"$k\",\"cert\":\"$k\"}",
        "{\"root\":\"http://h:1\",\"nsp\":\"/\",\"proxy\":\"gopher://u:$p@h\"}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_EQUAL(im_client_new(write_secrets(wrong[i])), 0);
        forget();
        check_nothing_is_left();
    }
}

static void what_went_out_by_websocket(void) {
    char form[512];
    snprintf(
        form, sizeof form,
        "{\"root\":\"%s\",\"nsp\":\"chat\",\"path\":\"/socket.io\",\"transports\":[\"websocket\"],"
        "\"reconnectionDelay\":10,\"query\":{\"token\":\"$q\"},\"auth\":{\"token\":\"$a\"},"
        "\"extraHeaders\":{\"Authorization\":\"$h\",\"Cookie\":\"session=$c\"}}",
        root);
    im_client client = secret_client(form);
    wait_connected(client);
    CHECK(has("qahc"));
    round_trip(client);
    destroy(client);
    check_nothing_is_left();
}

int main(int argc, char **argv) {
    static const test_case cases[] = {CASE(what_was_never_sent),
                                      CASE(what_was_replaced),
                                      CASE(what_was_refused),
                                      CASE(what_went_out_by_websocket),
                                      {NULL, NULL}};
    return run_cases(argc, argv, "wiped", cases);
}

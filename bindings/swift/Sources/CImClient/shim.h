#include <im_client.h>

#include "quantsearch/transform.h"

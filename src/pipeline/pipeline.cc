#include "quantsearch/evaluate.h"

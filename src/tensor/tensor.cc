#include "quantsearch/tensor.h"

#include "quantsearch/calibrate.h"

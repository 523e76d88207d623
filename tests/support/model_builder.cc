#include "support/model_builder.h"

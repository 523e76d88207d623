// search_model MODEL DATA OUTPUT: searches two configurations and says which is best.

#include <quantsearch/autosearch.h>
#include <quantsearch/base/error.h>

#include <cstdint>
#include <iostream>

int main(int count, char** arguments) {
  if (count != 4) return 2;
  try {
    quantsearch::AutoSearchConfig config = quantsearch::parse_search_config(
        quantsearch::parse_yaml("search_space: {activation_type: [QUInt8, QInt8]}", "program"));
    config.output.output_folder = arguments[3];
    quantsearch::SearchInput input;
    input.model = quantsearch::load_model(arguments[1]);
    input.model_name = arguments[1];
    input.calibration = quantsearch::open_data(arguments[2], input.model, {.limit = 10}).source;
    quantsearch::ThreadPool pool(2);
    const quantsearch::SearchResult result = quantsearch::auto_search(
        config, input, {.pool = &pool, .budget = quantsearch::ByteBudget(std::int64_t{1} << 28)});
    std::cout << "best of " << result.study.trials.size() << " is trial " << result.best.value()
              << '\n';
  } catch (const quantsearch::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}

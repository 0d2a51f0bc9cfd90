// The line of an order, which the benchmarks of models parse, as python_models.py has it.
#pragma once

#include <string>
#include <vector>

#include <boost/describe.hpp>

#include <quarq/model.hpp>

namespace quarq::bench::models_bench {

struct line {
  std::string sku, title;
  int quantity = 0;
  double price = 0;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(line, (), (sku, title, quantity, price, tags))
QUARQ_MODEL(line, field(&line::sku).length(3, 20), field(&line::title).length(1, 80),
            field(&line::quantity).range(1, 1000), field(&line::price).more_than(0),
            field(&line::tags).length(0, 10), each(&line::tags).length(1, 20))

}  // namespace quarq::bench::models_bench

// The call that is measured: 120 bytes, and their number as the answer.
#pragma once

#include <cstdint>
#include <string>

#include <boost/describe.hpp>

#include <quarq/task.hpp>

namespace quarq::bench {

inline constexpr task<std::int64_t(std::string)> word_size{"word_size", "text"};

/// The same as the body of a route.
struct word_of_route {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(word_of_route, (), (text))

}  // namespace quarq::bench

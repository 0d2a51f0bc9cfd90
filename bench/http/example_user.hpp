// What the servers of the benchmark answer.
#pragma once

#include <string>
#include <string_view>

#include <boost/describe.hpp>

namespace quarq::bench {

struct example_user {
  int id = 0;
  std::string name;
  bool active = false;
};
BOOST_DESCRIBE_STRUCT(example_user, (), (id, name, active))

/// The one with id 7, as quarq writes it.
inline constexpr std::string_view example_user_json = R"({"id": 7, "name": "Ada Lovelace", "active": true})";

}  // namespace quarq::bench

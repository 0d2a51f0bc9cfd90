#include "broker/redis_common/repeatable_calls.hpp"

#include <iterator>
#include <utility>

#include "base/ids.hpp"

namespace quarq::broker::redis_common {

repeatable_calls::repeatable_calls() : name_(base::make_id()) {}

awaitable<quarq::redis::reply> repeatable_calls::run(quarq::redis::connection& over,
                                                     const quarq::redis::script& script,
                                                     std::vector<std::string> keys,
                                                     std::vector<std::string> args) {
  const auto number = numbers_.next();
  std::vector<std::string> all = {name_, number, numbers_.take_answered()};
  all.insert(all.end(), std::make_move_iterator(args.begin()), std::make_move_iterator(args.end()));
  auto reply = co_await over.run(script, std::move(keys), std::move(all));
  numbers_.answered(number);
  co_return reply;
}

}  // namespace quarq::broker::redis_common

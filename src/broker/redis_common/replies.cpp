#include "broker/redis_common/replies.hpp"

#include <charconv>

#include <quarq/errors.hpp>

namespace quarq::broker::redis_common {

const quarq::redis::reply& item(const quarq::redis::reply& reply, std::size_t i) {
  if (i >= reply.items.size())
    throw broker_error("Redis answered a script with something else than it returns");
  return reply.items[i];
}

std::int64_t whole_number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::int64_t whole_number(const quarq::redis::reply& reply) {
  return reply.type == quarq::redis::reply::kind::integer ? reply.integer : whole_number(reply.text);
}

cancel_result read_cancel_result(const quarq::redis::reply& reply) {
  if (reply.text == "cancelled") return cancel_result::cancelled;
  if (reply.text == "requested") return cancel_result::requested;
  if (reply.text == "ended") return cancel_result::ended;
  return cancel_result::not_found;
}

std::vector<worker_summary> read_workers(const quarq::redis::reply& reply) {
  std::vector<worker_summary> found;
  for (const auto& one : reply.items) {
    auto& worker = found.emplace_back();
    worker.token = item(one, 0).text;
    worker.worker_info = item(one, 1).text;
    worker.running = static_cast<std::uint64_t>(item(one, 2).integer);
    worker.expires_in = milliseconds(item(one, 3).integer);
    worker.announcement = item(one, 4).text;
  }
  return found;
}

char state_digit(job_state state) {
  return static_cast<char>('0' + static_cast<int>(state));
}

job_state state_of_digit(char digit) {
  if (digit < '0' || digit > state_digit(job_state::dead))
    throw broker_error(std::string("Redis answered with a state unknown here: ") + digit);
  return static_cast<job_state>(digit - '0');
}

}  // namespace quarq::broker::redis_common

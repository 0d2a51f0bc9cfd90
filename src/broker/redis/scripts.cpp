#include "broker/redis/scripts.hpp"

#include <algorithm>

#include <quarq/errors.hpp>

#include "broker/redis_common/script_args.hpp"

namespace quarq::broker::redis {

using redis_common::keep_number;

namespace {

template <class Integer>
void put(std::string& bytes, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    bytes += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
}

std::uint64_t get(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

time_point time_at(std::uint64_t ms) {
  return time_point(milliseconds(static_cast<milliseconds::rep>(ms)));
}

}  // namespace

redis_scripts::redis_scripts()
    : script_set({{"shared_format", shared_format_lua},
                  {"shared_lists", shared_lists_lua},
                  {"shared_ends", shared_ends_lua},
                  {"shared_successes", shared_successes_lua},
                  {"shared_find", shared_find_lua},
                  {"shared_details", shared_details_lua},
                  {"shared_give_back", shared_give_back_lua},
                  {"shared_heard", shared_heard_lua},
                  {"shared_leases", shared_leases_lua}}) {}

const redis_scripts& scripts() {
  static const redis_scripts only;
  return only;
}

std::string key_prefix(std::string_view queue) {
  if (queue.empty()) throw usage_error("the name of a queue can't be empty");
  std::string prefix = "quarq:{";
  for (const char c : queue) {
    if (c == '%') {
      prefix += "%25";
    } else if (c == '{') {
      prefix += "%7B";
    } else if (c == '}') {
      prefix += "%7D";
    } else {
      prefix += c;
    }
  }
  return prefix + "}:";
}

std::string pack_options(const new_job& job) {
  char kind = 0;
  std::int64_t amount = 0;
  if (job.at) {
    kind = 2;
    amount = std::max<std::int64_t>(0, job.at->time_since_epoch().count());
  } else if (job.delay.count() > 0) {
    kind = 1;
    amount = job.delay.count();
  }
  std::string bytes = {job.id_is_fresh ? '\1' : '\0', static_cast<char>(job.priority), kind};
  put(bytes, amount);
  put(bytes, job.expires ? std::max<std::int64_t>(0, job.expires->count()) : std::int64_t{-1});
  return bytes;
}

std::string pack_settlement(const settlement& one) {
  const bool state_only =
      one.kind == settlement::what::end && one.state == job_state::succeeded && one.keeps_state_only;
  const bool begins = one.kind == settlement::what::begin;
  std::string bytes = {state_only ? '\3'
                       : begins   ? '\4'
                                  : static_cast<char>(one.kind),
                       static_cast<char>(one.state)};
  std::int64_t time = 0;
  if (one.kind == settlement::what::end) {
    time = keep_number(one.keep);
  } else {
    time = std::max<std::int64_t>(0, one.delay.count());
  }
  put(bytes, time);
  return bytes;
}

std::string pack_end(std::optional<milliseconds> keep, std::string_view outcome) {
  std::string bytes;
  put(bytes, keep_number(keep));
  return bytes.append(outcome);
}

std::optional<job_header> read_header(std::string_view stored) {
  if (stored.size() < job_header_size) return std::nullopt;
  job_header header;
  header.enqueued_at = time_at(get(stored, 0));
  header.due_at = time_at(get(stored, 8));
  if (const auto expires = get(stored, 16)) header.expires_at = time_at(expires);
  header.priority = stored[24];
  return header;
}

}  // namespace quarq::broker::redis

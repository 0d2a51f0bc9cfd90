#include "broker/redis/redis_scripts.hpp"

#include <unordered_set>

#include <quarq/errors.hpp>

#include "broker/redis/embedded.hpp"
#include "broker/redis/script_parts.hpp"

namespace quarq::broker::redis {

namespace {

const script_parts& shared_parts() {
  static const script_parts parts = {
      {"shared_format", shared_format_lua},   {"shared_lists", shared_lists_lua},
      {"shared_wake", shared_wake_lua},       {"shared_tell", shared_tell_lua},
      {"shared_ends", shared_ends_lua},       {"shared_find", shared_find_lua},
      {"shared_details", shared_details_lua}, {"shared_give_back", shared_give_back_lua},
      {"shared_calls", shared_calls_lua},
  };
  return parts;
}

std::string_view assembled(std::string_view script) {
  return assemble(script, shared_parts());
}

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

time_point moment_at(std::uint64_t ms) {
  return time_point(milliseconds(static_cast<milliseconds::rep>(ms)));
}

}  // namespace

redis_scripts::redis_scripts()
    : enqueue(assembled(enqueue_lua)),
      claim(assembled(claim_lua)),
      settle(assembled(settle_lua)),
      renew(assembled(renew_lua)),
      close_lease(assembled(close_lease_lua)),
      reconcile(assembled(reconcile_lua)),
      wait(assembled(wait_lua)),
      cancel(assembled(cancel_lua)),
      inspect(assembled(inspect_lua)),
      list(assembled(list_lua)),
      requeue(assembled(requeue_lua)),
      purge(assembled(purge_lua)),
      workers(assembled(workers_lua)),
      summary(assembled(summary_lua)) {}

std::vector<const quarq::redis::script*> redis_scripts::all() const {
  return {&enqueue, &claim,   &settle, &renew,   &close_lease, &reconcile, &wait,
          &cancel,  &inspect, &list,   &requeue, &purge,       &workers,   &summary};
}

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

std::vector<std::vector<std::size_t>> settle_parts(const std::vector<settlement>& batch) {
  std::vector<std::vector<std::size_t>> parts;
  std::unordered_set<std::string_view> seen;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!seen.insert(batch[i].id).second) continue;
    const auto more = batch[i].id.size() + batch[i].outcome.size();
    if (parts.empty() || parts.back().size() == max_concurrency || bytes + more > max_bytes_at_once) {
      parts.emplace_back();
      bytes = 0;
    }
    parts.back().push_back(i);
    bytes += more;
  }
  return parts;
}

std::vector<std::string> renewal_words(const lease& held, const lease_terms& terms, const char* open) {
  return {held.token, std::to_string(terms.duration.count()), terms.card, open};
}

std::int64_t keep_number(std::optional<milliseconds> keep) {
  return keep ? std::max<std::int64_t>(0, keep->count()) : -1;
}

std::string pack_terms(const new_job& job) {
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
  std::string bytes = {static_cast<char>(one.kind), static_cast<char>(one.state)};
  std::int64_t time = 0;
  if (one.kind == settlement::what::end) {
    time = keep_number(one.keep);
  } else if (one.kind == settlement::what::retry) {
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

job_header read_header(std::string_view stored) {
  if (stored.size() < job_header_size)
    throw broker_error("a job stored in Redis has no header: its keys are damaged");
  job_header header;
  header.enqueued_at = moment_at(get(stored, 0));
  header.due_at = moment_at(get(stored, 8));
  if (const auto expires = get(stored, 16)) header.expires_at = moment_at(expires);
  header.priority = stored[24];
  return header;
}

char state_digit(job_state state) {
  return static_cast<char>('0' + static_cast<int>(state));
}

job_state state_of_digit(char digit) {
  if (digit < '0' || digit > state_digit(job_state::dead))
    throw broker_error(std::string("Redis answered with a state unknown here: ") + digit);
  return static_cast<job_state>(digit - '0');
}

}  // namespace quarq::broker::redis

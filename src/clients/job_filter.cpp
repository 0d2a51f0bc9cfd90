#include "clients/job_filter.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <quarq/errors.hpp>

#include "base/assert.hpp"
#include "clients/cancel.hpp"
#include "clients/job_description.hpp"
#include "codecs/iso8601.hpp"
#include "codecs/json.hpp"
#include "model/record.hpp"

namespace quarq::clients {

namespace {

// In the order in which jobs go through them: what moves on meanwhile is met in a later one.
constexpr job_state all_states[] = {job_state::deferred,  job_state::queued, job_state::running,
                                    job_state::succeeded, job_state::failed, job_state::cancelled,
                                    job_state::expired,   job_state::dead};

bool has_text(const model::record& record, const owned_filter& by) {
  const auto is_in = [&by](const std::string& encoded) {
    if (encoded.empty()) return false;
    auto json = codecs::to_json(encoded);
    if (by.shown) json = by.shown(json);
    return json.find(by.text) != std::string::npos;
  };
  try {
    return is_in(record.arguments) || is_in(record.keywords);
  } catch (const decode_error&) {
    return false;
  }
}

std::string in_iso8601(broker::time_point when) {
  const auto since_epoch = when.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::chrono::nanoseconds rest = since_epoch - seconds;
  return codecs::to_iso8601({seconds.count(), static_cast<std::uint32_t>(rest.count())});
}

bool has_tag(const model::record& record, std::string_view tag) {
  const auto& labels = record.labels;
  return labels && std::find(labels->tags.begin(), labels->tags.end(), tag) != labels->tags.end();
}

std::optional<broker::time_point> enqueued_at(const broker::job_details& job, const model::outcome& end) {
  if (job.enqueued_at) return job.enqueued_at;
  if (end.enqueued_ms == 0) return std::nullopt;
  return broker::time_point(model::milliseconds(end.enqueued_ms));
}

// "90 min", "1 h": in the largest unit that says it exactly.
std::string exactly(std::chrono::milliseconds time) {
  struct unit {
    std::chrono::milliseconds length;
    const char* name;
  };
  using namespace std::chrono_literals;
  constexpr unit units[] = {{24h, "d"}, {1h, "h"}, {1min, "min"}, {1s, "s"}};
  for (const auto& [length, name] : units) {
    if (time >= length && time % length == 0ms) return fmt::format("{} {}", time / length, name);
  }
  return fmt::format("{} ms", time.count());
}

}  // namespace

broker::time_point machine_time() {
  return std::chrono::floor<broker::milliseconds>(std::chrono::system_clock::now());
}

owned_filter::owned_filter(const job_filter& said)
    : states(said.state),
      task(said.task),
      error(said.error),
      id_prefix(said.id_prefix),
      error_type(said.error_type),
      text(said.text),
      tag(said.tag),
      older_than(said.older_than),
      enqueued_from(said.enqueued_from),
      enqueued_until(said.enqueued_until) {}

void owned_filter::limit_to(job_states possible, const char* call) {
  if (states.empty()) states = possible;
  if ((states & possible) == states) return;
  throw usage_error(fmt::format("{}: it is for jobs that are {}, not for those that are {}", call,
                                in_words(possible), in_words(states)));
}

bool owned_filter::wants(const broker::job_details& job, broker::time_point now) const {
  if (!job.id.starts_with(id_prefix)) return false;
  model::record record;
  const bool asks_for_call = !task.empty() || !text.empty() || !tag.empty();
  if (asks_for_call) {
    record = readable_record(job);
    if (!text.empty() && !has_text(record, *this)) return false;
    if (!tag.empty() && !has_tag(record, tag)) return false;
  }
  return wants_end(job, record.task, now);
}

bool owned_filter::wants_end(const broker::job_details& job, std::string_view task_of_record,
                             broker::time_point now) const {
  const bool asks_for_time = older_than || enqueued_from || enqueued_until;
  if (task.empty() && error.empty() && error_type.empty() && !asks_for_time) return true;
  const auto end = readable_outcome(job);
  if (!task.empty() && (task_of_record.empty() ? end.task : task_of_record) != task) return false;
  if (!error_type.empty() && end.error_type != error_type) return false;
  if (!error.empty() && fmt::format("{}: {}", end.error_type, end.error).find(error) == std::string::npos)
    return false;
  if (!asks_for_time) return true;
  const auto since = enqueued_at(job, end);
  return since && (!older_than || now - *since >= *older_than) &&
         (!enqueued_from || *since >= *enqueued_from) && (!enqueued_until || *since < *enqueued_until);
}

std::vector<job_state> in_order(job_states some) {
  std::vector<job_state> states;
  std::copy_if(std::begin(all_states), std::end(all_states), std::back_inserter(states),
               [&](job_state each) { return some.contains(each); });
  return states;
}

std::string owned_filter::in_words(job_states some) {
  std::vector<std::string_view> words;
  for (auto state = job_state::queued; state <= job_state::dead;
       state = static_cast<job_state>(static_cast<int>(state) + 1)) {
    if (some.contains(state)) words.push_back(to_string(state));
  }
  if (words.size() < 2) return fmt::format("{}", fmt::join(words, ""));
  return fmt::format("{} and {}", fmt::join(words.begin(), words.end() - 1, ", "), words.back());
}

std::string owned_filter::besides_states() const {
  std::string words;
  if (!task.empty()) words += " of task " + task;
  if (!error.empty()) words += fmt::format(" with \"{}\" in their error", error);
  if (!error_type.empty()) words += fmt::format(" with an error of type {}", error_type);
  if (!text.empty()) words += fmt::format(" with \"{}\" in their arguments", text);
  if (!tag.empty()) words += fmt::format(" with the tag {}", tag);
  if (!id_prefix.empty()) words += fmt::format(" with an id that begins with \"{}\"", id_prefix);
  if (older_than) words += fmt::format(" that are older than {}", exactly(*older_than));
  if (enqueued_from) words += " enqueued since " + in_iso8601(*enqueued_from);
  if (enqueued_until) words += " enqueued before " + in_iso8601(*enqueued_until);
  return words;
}

struct matching_jobs::page {
  std::vector<broker::job_details> matches;
  std::vector<std::size_t> positions;  // of the matches among those that were looked at
  std::size_t looked_at = 0;
  std::string next;
};

matching_jobs::matching_jobs(std::shared_ptr<broker::broker> store, std::string queue, owned_filter which)
    : matching_jobs(std::move(store), std::move(queue), which, in_order(which.states)) {}

matching_jobs::matching_jobs(std::shared_ptr<broker::broker> store, std::string queue, owned_filter which,
                             std::vector<job_state> states)
    : store_(std::move(store)),
      queue_(std::move(queue)),
      which_(std::move(which)),
      filters_(!which_.besides_states().empty()),
      states_(std::move(states)) {
  std::reverse(states_.begin(), states_.end());
}

awaitable<matching_jobs::page> matching_jobs::page_of(std::size_t max) {
  auto all = co_await store_->page(queue_, state(), max, from_);
  const auto now = machine_time();
  page some;
  some.looked_at = all.jobs.size();
  some.next = std::move(all.next);
  for (std::size_t i = 0; i < all.jobs.size(); ++i) {
    if (!which_.wants(all.jobs[i], now)) continue;
    some.matches.push_back(std::move(all.jobs[i]));
    some.positions.push_back(i);
  }
  co_return some;
}

awaitable<std::vector<broker::job_details>> matching_jobs::next(std::size_t wanted) {
  QUARQ_ASSERT(!is_over() && wanted > 0);
  auto some = co_await page_of(filters_ ? broker::max_page : std::min(wanted, broker::max_page));
  if (some.matches.size() > wanted) {
    auto fewer = co_await page_of(some.positions[wanted - 1] + 1);
    some = std::move(fewer);
  }
  looked_at_ += some.looked_at;
  from_ = std::move(some.next);
  if (from_.empty()) states_.pop_back();
  co_return std::move(some.matches);
}

bool matching_jobs::go_on_at(job_state state, std::string place) {
  const auto here = std::find(states_.begin(), states_.end(), state);
  if (here == states_.end()) return false;
  states_.erase(here + 1, states_.end());
  from_ = std::move(place);
  return true;
}

awaitable<cancelled_jobs> cancel_matching(std::shared_ptr<broker::broker> store, std::string queue,
                                          owned_filter which) {
  matching_jobs all(store, queue, std::move(which));
  cancelled_jobs done;
  std::set<std::string> requested;
  while (!all.is_over()) {
    const auto some = co_await all.next();
    const auto answers = co_await cancel(store, queue, some);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i] == broker::cancel_result::cancelled) ++done.cancelled;
      if (answers[i] == broker::cancel_result::requested) requested.insert(some[i].id);
    }
  }
  done.requested = requested.size();
  co_return done;
}

awaitable<std::size_t> requeue_matching(std::shared_ptr<broker::broker> store, std::string queue,
                                        owned_filter which) {
  matching_jobs all(store, queue, std::move(which));
  std::size_t count = 0;
  std::set<std::string> done;
  while (!all.is_over()) {
    const auto some = co_await all.next();
    std::vector<std::string> ids;
    for (const auto& job : some) {
      if (done.insert(job.id).second) ids.push_back(job.id);
    }
    if (ids.empty()) continue;  // which would mean all
    const auto requeued = co_await store->requeue(queue, std::move(ids));
    count += requeued;
  }
  co_return count;
}

awaitable<std::size_t> purge_matching(std::shared_ptr<broker::broker> store, std::string queue,
                                      owned_filter which) {
  std::size_t count = 0;
  for (const auto state : in_order(which.states)) {
    auto of_state = which;
    of_state.states = state;
    matching_jobs all(store, queue, std::move(of_state));
    while (!all.is_over()) {
      const auto some = co_await all.next();
      std::vector<std::string> ids;
      for (const auto& job : some) ids.push_back(job.id);
      if (ids.empty()) continue;
      const auto purged = co_await store->purge_named(queue, state, std::move(ids));
      count += purged;
    }
  }
  co_return count;
}

}  // namespace quarq::clients

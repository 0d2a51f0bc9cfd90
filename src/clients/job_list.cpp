#include "clients/job_list.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "codecs/base64.hpp"
#include "codecs/utf8.hpp"

namespace quarq::clients {

namespace {

/// Where a list goes on: "STATE.LOOKED_AT.TOTAL.PLACE", of which the place is the broker's, in base 64 that needs no quoting in
/// a URL. TOTAL is empty where it is not known.
struct list_cursor {
  job_state state = job_state::queued;
  std::uint64_t looked_at = 0;
  std::optional<std::uint64_t> total;
  std::string place;

  std::string text() const {
    auto encoded = codecs::to_base64(place);
    std::replace(encoded.begin(), encoded.end(), '+', '-');
    std::replace(encoded.begin(), encoded.end(), '/', '_');
    encoded.erase(std::find(encoded.begin(), encoded.end(), '='), encoded.end());
    return fmt::format("{}.{}.{}.{}", to_string(state), looked_at, total ? std::to_string(*total) : "",
                       encoded);
  }
};

std::string_view take_word(std::string_view& text) {
  const auto word = text.substr(0, text.find('.'));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<list_cursor> read_cursor(std::string_view text) {
  list_cursor read;
  const auto state = job_state_from(take_word(text));
  const auto looked_at = to_number(take_word(text));
  read.total = to_number(take_word(text));
  std::string encoded(text);
  std::replace(encoded.begin(), encoded.end(), '-', '+');
  std::replace(encoded.begin(), encoded.end(), '_', '/');
  auto place = codecs::from_base64(encoded);
  if (!state || !looked_at || !place) return std::nullopt;
  read.state = *state;
  read.looked_at = *looked_at;
  read.place = std::move(*place);
  return read;
}

/// Looks through the jobs that the filter means, until there are enough or it has looked at enough.
class scan {
 public:
  scan(std::shared_ptr<broker::broker> store, std::string queue, owned_filter which, owned_list_options how)
      : store_(std::move(store)),
        queue_(std::move(queue)),
        how_(std::move(how)),
        states_(how_.order.empty() ? in_order(which.states) : how_.order),
        jobs_(store_, queue_, std::move(which), states_) {}

  awaitable<details_list> list() {
    co_await begin();
    while (may_go_on() && found_.jobs.size() < how_.limit) {
      auto some = co_await jobs_.next(how_.limit - found_.jobs.size());
      std::move(some.begin(), some.end(), std::back_inserter(found_.jobs));
    }
    note_progress(found_);
    co_return std::move(found_);
  }

  awaitable<job_count> count() {
    co_await begin();
    job_count counted;
    while (may_go_on()) {
      const auto some = co_await jobs_.next();
      counted.count += some.size();
    }
    note_progress(counted);
    co_return counted;
  }

 private:
  bool may_go_on() const {
    return !jobs_.is_over() && jobs_.looked_at() < how_.scan_limit &&
           std::chrono::steady_clock::now() < how_.until;
  }

  awaitable<void> begin() {
    if (how_.from.empty()) {
      if (how_.wants_total) co_await count_all();
      co_return;
    }
    const auto read = read_cursor(how_.from);
    if (!read || !jobs_.go_on_at(read->state, read->place)) {
      throw usage_error(
          fmt::format("list: from: \"{}\" is not where a list of this filter goes on: give what the call "
                      "before returned as next",
                      codecs::printable(how_.from, 80)));
    }
    looked_at_before_ = read->looked_at;
    total_ = read->total;
  }

  awaitable<void> count_all() {
    total_ = 0;
    for (const auto state : states_) {
      const auto some = co_await store_->count(queue_, state);
      if (total_ && some) *total_ += *some;
      if (!some) total_.reset();
    }
  }

  void note_progress(list_progress& progress) const {
    progress.looked_at = looked_at_before_ + jobs_.looked_at();
    progress.total = total_;
    if (!jobs_.is_over())
      progress.next = list_cursor{jobs_.state(), progress.looked_at, total_, jobs_.place()}.text();
  }

  const std::shared_ptr<broker::broker> store_;
  const std::string queue_;
  const owned_list_options how_;
  const std::vector<job_state> states_;
  matching_jobs jobs_;
  std::uint64_t looked_at_before_ = 0;
  std::optional<std::uint64_t> total_;
  details_list found_;
};

}  // namespace

awaitable<details_list> list_matching(std::shared_ptr<broker::broker> store, std::string queue,
                                      owned_filter which, owned_list_options how) {
  scan all(std::move(store), std::move(queue), std::move(which), std::move(how));
  auto found = co_await all.list();
  co_return found;
}

awaitable<job_count> count_matching(std::shared_ptr<broker::broker> store, std::string queue,
                                    owned_filter which, owned_list_options how) {
  scan all(std::move(store), std::move(queue), std::move(which), std::move(how));
  const auto counted = co_await all.count();
  co_return counted;
}

}  // namespace quarq::clients

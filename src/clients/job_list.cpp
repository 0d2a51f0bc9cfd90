#include "clients/job_list.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
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

list_cursor read_cursor(std::string_view text, const std::vector<job_state>& states) {
  list_cursor read;
  const auto whole = text;
  const auto state = job_state_from(take_word(text));
  const auto looked_at = to_number(take_word(text));
  read.total = to_number(take_word(text));
  std::string encoded(text);
  std::replace(encoded.begin(), encoded.end(), '-', '+');
  std::replace(encoded.begin(), encoded.end(), '_', '/');
  auto place = codecs::from_base64(encoded);
  const bool fits = state && std::find(states.begin(), states.end(), *state) != states.end();
  if (!fits || !looked_at || !place) {
    throw usage_error(
        fmt::format("list: from: \"{}\" is not where a list of this filter goes on: give what the call "
                    "before returned as next",
                    codecs::printable(whole, 80)));
  }
  read.state = *state;
  read.looked_at = *looked_at;
  read.place = std::move(*place);
  return read;
}

/// Looks through the jobs, and keeps those that the filter means, until there are enough or it has looked at enough.
class scan {
 public:
  scan(std::shared_ptr<broker::broker> store, std::string queue, owned_filter which, owned_list_options how)
      : store_(std::move(store)),
        queue_(std::move(queue)),
        which_(std::move(which)),
        how_(std::move(how)),
        states_(in_order(which_.states)),
        filters_(!which_.besides_states().empty()) {}

  awaitable<details_list> run() {
    if (how_.from.empty()) {
      at_.state = states_.front();
      co_await count_all();
    } else {
      at_ = read_cursor(how_.from, states_);
    }
    std::uint64_t looked_at = 0;
    bool over = false;
    while (!over && found_.jobs.size() < how_.limit && looked_at < how_.scan_limit) {
      auto page = co_await next_page();
      looked_at += page.looked_at;
      std::move(page.jobs.begin(), page.jobs.end(), std::back_inserter(found_.jobs));
      over = !go_on_at(std::move(page.next));
    }
    at_.looked_at += looked_at;
    found_.looked_at = at_.looked_at;
    found_.total = at_.total;
    if (!over) found_.next = at_.text();
    co_return std::move(found_);
  }

 private:
  struct matches {
    std::vector<broker::job_details> jobs;
    std::vector<std::size_t> places;  // where each stood in its page
    std::size_t looked_at = 0;
    std::string next;
  };

  awaitable<void> count_all() {
    at_.total = 0;
    for (const auto state : states_) {
      const auto some = co_await store_->count(queue_, state);
      if (at_.total && some) *at_.total += *some;
      if (!some) at_.total.reset();
    }
  }

  awaitable<matches> page_of(std::size_t max) {
    auto page = co_await store_->page(queue_, at_.state, max, at_.place);
    const auto now = std::chrono::floor<broker::milliseconds>(std::chrono::system_clock::now());
    matches some;
    some.looked_at = page.jobs.size();
    some.next = std::move(page.next);
    for (std::size_t i = 0; i < page.jobs.size(); ++i) {
      if (!which_.wants(page.jobs[i], now)) continue;
      some.jobs.push_back(std::move(page.jobs[i]));
      some.places.push_back(i);
    }
    co_return some;
  }

  // A page in which more are found than are wanted is asked for again, as far as the last one that is.
  awaitable<matches> next_page() {
    const auto wanted = how_.limit - found_.jobs.size();
    auto some = co_await page_of(filters_ ? broker::max_page : std::min(wanted, broker::max_page));
    if (some.jobs.size() <= wanted) co_return some;
    auto fewer = co_await page_of(some.places[wanted - 1] + 1);
    co_return fewer;
  }

  // False: that was all.
  bool go_on_at(std::string place) {
    at_.place = std::move(place);
    if (!at_.place.empty()) return true;
    const auto here = std::find(states_.begin(), states_.end(), at_.state);
    if (here + 1 == states_.end()) return false;
    at_.state = *(here + 1);
    return true;
  }

  const std::shared_ptr<broker::broker> store_;
  const std::string queue_;
  const owned_filter which_;
  const owned_list_options how_;
  const std::vector<job_state> states_;
  const bool filters_;
  list_cursor at_;
  details_list found_;
};

}  // namespace

awaitable<details_list> list_matching(std::shared_ptr<broker::broker> store, std::string queue,
                                      owned_filter which, owned_list_options how) {
  scan all(std::move(store), std::move(queue), std::move(which), std::move(how));
  auto found = co_await all.run();
  co_return found;
}

awaitable<job_count> count_matching(std::shared_ptr<broker::broker> store, std::string queue,
                                    owned_filter which, owned_list_options how) {
  how.limit = std::numeric_limits<std::size_t>::max();
  job_count counted;
  auto found = co_await list_matching(std::move(store), std::move(queue), std::move(which), std::move(how));
  static_cast<list_progress&>(counted) = std::move(static_cast<list_progress&>(found));
  counted.count = found.jobs.size();
  co_return counted;
}

}  // namespace quarq::clients

// Which broker a URL means; and options that all of them share.
#include <charconv>
#include <set>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "async/activity.hpp"
#include "broker/arq/broker.hpp"
#include "broker/broker.hpp"
#include "broker/place.hpp"
#include "broker/redis/broker.hpp"
#include "broker/redis/settings.hpp"
#include "broker/sqlite/broker.hpp"
#include "broker/sqlite/url.hpp"
#include "redis/url.hpp"

namespace quarq::broker {
namespace {

enum class kind { sqlite, redis, arq };

/// For a file, or a host and its port, without the scheme.
std::string suggestion_for(std::string_view url) {
  const auto colon = url.find(':');
  if (colon == url.npos && url.find_first_of("./") != url.npos && url.find('@') == url.npos)
    return fmt::format("did you mean sqlite:{}? Otherwise ", url);
  const auto port = colon == url.npos ? std::string_view() : url.substr(colon + 1);
  if (!port.empty() && port.find_first_not_of("0123456789") == port.npos)
    return fmt::format("did you mean redis://{}? Otherwise ", url);
  return {};
}

kind kind_of(std::string_view url) {
  const auto scheme = url.substr(0, url.find(':'));
  if (scheme == "sqlite") return kind::sqlite;
  for (const std::string_view known :
       {"redis", "rediss", "redis+unix", "unix", "redis+sentinel", "rediss+sentinel"}) {
    if (scheme == known) return kind::redis;
  }
  for (const std::string_view known : {"arq", "arqs", "arq+unix", "arq+sentinel", "arqs+sentinel"}) {
    if (scheme == known) return kind::arq;
  }
  // The text after the scheme may hold a password.
  const bool has_scheme = scheme.size() < url.size();
  throw usage_error(fmt::format(
      "\"{}{}\" is not a broker that is known: {}use sqlite:FILE, sqlite::memory:, redis://HOST, "
      "rediss://HOST, redis+unix://PATH or redis+sentinel://HOST,HOST; or arq://HOST, arqs://HOST, "
      "arq+unix://PATH, arq+sentinel://HOST,HOST for python-arq's jobs",
      scheme, has_scheme ? ":" : "", suggestion_for(url)));
}

}  // namespace

awaitable<std::vector<job_details>> broker::list(std::string queue, job_state state, std::size_t max) {
  std::vector<job_details> found;
  std::set<std::string> seen;
  std::string from;
  while (found.size() < max) {
    auto some = co_await page(queue, state, max - found.size(), from);
    for (auto& job : some.jobs) {
      if (found.size() < max && seen.insert(job.id).second) found.push_back(std::move(job));
    }
    from = std::move(some.next);
    if (from.empty()) break;
  }
  co_return found;
}

awaitable<live_workers> broker::live_workers_of(std::string queue) {
  live_workers found;
  found.paused = co_await is_paused(queue);
  auto live = co_await workers(std::move(queue));
  for (auto& worker : live) found.announcements.push_back(std::move(worker.announcement));
  co_return found;
}

// For stores that do not keep this.
awaitable<std::size_t> broker::purge_named(std::string, job_state, std::vector<std::string>) {
  throw usage_error("this broker can't forget single jobs");
  co_return 0;
}

awaitable<job_page> broker::page_of_ended(std::string, job_states, std::string) {
  throw usage_error("this broker has lists of ended jobs");
  co_return job_page();
}

awaitable<std::optional<std::uint64_t>> broker::count(std::string, job_state) {
  co_return std::nullopt;
}

awaitable<void> broker::keep_notes(lease, std::vector<job_note>) {
  co_return;
}

awaitable<std::vector<std::string>> broker::notes(std::string, std::vector<std::string> ids) {
  co_return std::vector<std::string>(ids.size());
}

awaitable<bool> broker::set_mark(std::string, std::string, std::string) {
  throw usage_error("this broker keeps no marks of queues");
  co_return false;
}

awaitable<std::map<std::string, std::string>> broker::marks(std::string) {
  co_return std::map<std::string, std::string>();
}

awaitable<void> broker::add_stats(std::string, std::vector<task_counts>) {
  co_return;
}

awaitable<std::vector<task_minute>> broker::stats(std::string, task_minute::time_point,
                                                  task_minute::time_point) {
  co_return std::vector<task_minute>();
}

awaitable<std::string> broker::about_server() {
  co_return std::string();
}

void check_url(std::string_view url) {
  switch (kind_of(url)) {
    case kind::sqlite:
      sqlite::parse_url(url);
      break;
    case kind::redis:
      redis::parse_url(url);
      break;
    case kind::arq:
      arq::parse_url(url);
      break;
  }
}

std::string file_of(std::string_view url) {
  if (kind_of(url) != kind::sqlite) return {};
  const auto file = sqlite::parse_url(url).settings.file;
  return file == ":memory:" ? std::string() : file;
}

trace::broker_address place_of(std::string_view url) {
  const auto which = kind_of(url);
  if (which == kind::sqlite) return {};
  const auto at = which == kind::redis ? redis::parse_url(url).connection : arq::parse_url(url).redis;
  if (!at.unix_path.empty() || !at.sentinel.hosts.empty()) return {};
  trace::broker_address found{at.host};
  std::from_chars(at.port.data(), at.port.data() + at.port.size(), found.port);
  return found;
}

std::string without_password(std::string_view url) {
  return quarq::redis::without_password(url);
}

std::shared_ptr<broker> open(std::string_view url, boost::asio::any_io_executor loop, open_options options) {
  // A job that opens it leaves it to others.
  loop = async::without_activity(loop);
  switch (kind_of(url)) {
    case kind::sqlite:
      return sqlite::open_sqlite(url, std::move(loop), options);
    case kind::arq:
      return arq::open_arq(url, std::move(loop), options);
    case kind::redis:
      break;
  }
  return redis::open_redis(url, std::move(loop), options);
}

}  // namespace quarq::broker

// What a job_follower reports of jobs that end between two of its looks: all of them, once, and in order.
#include "clients/job_follower.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "integration/arq_python.hpp"
#include "integration/broker_conformance.hpp"
#include "model/record.hpp"

namespace quarq::test::job_follower_tests {

namespace {

using clients::job_event;
using clients::job_follower;
using store_ptr = std::shared_ptr<broker::broker>;

settlement ended_at(std::string id, job_state state, broker::time_point at) {
  auto one = end(std::move(id), state, "over", 1h);
  auto o = model::decode_outcome(one.outcome);
  o.finished_ms = at.time_since_epoch().count();
  one.outcome = model::encode(o);
  return one;
}

/// "7 id" of each end, in the order in which they were reported: the time counts from `since`.
strings ends_in(const std::vector<job_event>& events, broker::time_point since) {
  strings all;
  for (const auto& event : events) {
    EXPECT_EQ(event.what, job_event::kind::ended) << event.job.id;
    all.push_back(fmt::format("{:09} {}", (clients::finished_at(event.job) - since).count(), event.job.id));
  }
  return all;
}

awaitable<strings> start(worker_end worker, std::size_t count, std::string prefix) {
  co_await worker.store->enqueue(worker.held.queue, numbered_jobs(count, prefix));
  auto jobs = co_await claim_until(worker, count);
  strings ids;
  for (auto& job : jobs) ids.push_back(std::move(job.id));
  co_return ids;
}

}  // namespace

BROKER_TEST(what_ends_between_two_looks_is_reported_in_the_order_of_the_ends) {
  auto store = place.open(loop);
  auto worker = co_await new_worker(store, "q");
  job_follower follower(store, "q", clients::owned_filter());
  auto ids = co_await start(worker, 30, "seen");
  auto events = co_await follower.look();
  EXPECT_TRUE(events.empty());
  const auto quick = co_await start(worker, 30, "quick");
  ids.insert(ids.end(), quick.begin(), quick.end());
  const auto since = clients::machine_time();
  constexpr job_state states[] = {job_state::dead, job_state::succeeded, job_state::failed,
                                  job_state::cancelled};
  std::vector<settlement> ends;
  for (std::size_t i = 0; i < ids.size(); ++i)
    ends.push_back(ended_at(ids[i], states[i % 4], since + milliseconds(i * 7 % 20)));
  co_await store->settle(worker.held, ends);
  events = co_await follower.look();
  const auto reported = ends_in(events, since);
  EXPECT_EQ(reported.size(), ids.size());
  auto in_order = reported;
  std::sort(in_order.begin(), in_order.end());
  EXPECT_EQ(reported, in_order);
  EXPECT_EQ(std::unique(in_order.begin(), in_order.end()), in_order.end());
  events = co_await follower.look();
  EXPECT_TRUE(events.empty());
}

namespace {

/// Other jobs' results, more than one look goes through.
void add_old_results(const redis_server& server, const std::string& like) {
  constexpr auto script = R"(
    local result = redis.call('GET', 'arq:result:' .. ARGV[1])
    for i = 1, 12000 do redis.call('SET', 'arq:result:old' .. i, result) end)";
  ask(server, {"EVAL", script, "0", like});
}

/// What was reported of ends.
struct reported_ends {
  broker::time_point since;
  strings all = {};

  void add(const std::vector<job_event>& of_a_look) {
    const auto some = ends_in(of_a_look, since);
    EXPECT_TRUE(std::is_sorted(some.begin(), some.end()));
    all.insert(all.end(), some.begin(), some.end());
  }
};

/// Until there are so many, and then often enough to find some of them again.
awaitable<void> look_for(job_follower& follower, std::size_t count, reported_ends& reported) {
  int looks_left = 200;
  while (looks_left-- > 0) {
    const auto events = co_await follower.look();
    reported.add(events);
    if (reported.all.size() >= count) looks_left = std::min(looks_left, 20);
  }
}

awaitable<void> report_each_once(const redis_server& server, any_io_executor loop) {
  const auto store = broker::open(arq_url(server), loop);
  const auto worker = co_await new_worker(store, "q");
  const auto oldest = co_await start(worker, 1, "oldest");
  co_await settle_one(worker, ended_at(oldest[0], job_state::succeeded, clients::machine_time() - 1min));
  add_old_results(server, oldest[0]);
  job_follower follower(store, "q", clients::owned_filter());
  reported_ends reported{clients::machine_time()};
  std::size_t count = 0;
  auto seen = co_await start(worker, 40, "seen");
  for (int round = 0; round < 12; ++round) {
    const auto events = co_await follower.look();
    reported.add(events);
    auto ids = co_await start(worker, 20, fmt::format("quick{}-", round));
    for (int i = 0; i < 3; ++i) {
      ids.push_back(seen.back());
      seen.pop_back();
    }
    std::vector<settlement> ends;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto at = clients::machine_time() + milliseconds(i * 7 % 5);
      ends.push_back(ended_at(ids[i], i % 2 == 0 ? job_state::succeeded : job_state::failed, at));
    }
    co_await store->settle(worker.held, ends);
    count += ids.size();
  }
  co_await look_for(follower, count, reported);
  EXPECT_EQ(reported.all.size(), count);
  EXPECT_EQ(std::set<std::string>(reported.all.begin(), reported.all.end()).size(), count)
      << "reported twice";
}

/// A job that quarq has given up is in the list of dead jobs; a Python worker leaves its result alone.
awaitable<void> report_dead(const redis_server& server, any_io_executor loop) {
  const auto store = broker::open(arq_url(server), loop);
  const auto worker = co_await new_worker(store, "q");
  const auto listed = co_await start(worker, 1, "listed");
  job_follower follower(store, "q", clients::owned_filter());
  reported_ends reported{clients::machine_time()};
  const auto before = co_await follower.look();
  EXPECT_TRUE(before.empty());
  auto dead = ended_at(listed[0], job_state::dead, clients::machine_time());
  auto o = model::decode_outcome(dead.outcome);
  o.result.clear();
  o.error_type = "quarq::unknown_task";
  o.error = "no handler";
  dead.outcome = model::encode(o);
  co_await settle_one(worker, dead);
  ask(server, {"COPY", "arq:result:" + listed[0], "arq:result:of_python"});
  co_await look_for(follower, 2, reported);
  strings ids;
  for (const auto& line : reported.all) ids.push_back(line.substr(line.find(' ') + 1));
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids, (strings{listed[0], "of_python"}));
}

}  // namespace

TEST(job_follower_arq, reports_each_dead_job_once_in_the_list_or_not) {
  redis_server server;
  const auto test = [](const redis_server& of) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    co_await report_dead(of, loop);
  };
  run_on_loop(test(server));
}

TEST(job_follower_arq, reports_each_end_once_though_no_look_goes_through_all_keys) {
  redis_server server;
  const auto test = [](const redis_server& of) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    co_await report_each_once(of, loop);
  };
  run_on_loop(test(server));
}

}  // namespace quarq::test::job_follower_tests

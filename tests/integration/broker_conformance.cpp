#include "integration/broker_conformance.hpp"

#include <algorithm>
#include <chrono>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "model/record.hpp"
#include "support/on_loop.hpp"

namespace quarq::test {

INSTANTIATE_TEST_SUITE_P(on, every_broker, testing::ValuesIn(broker_kinds()),
                         [](const auto& kind) { return kind.param.name; });

namespace {

awaitable<void> on_this_loop(awaitable<void> (*test)(broker_fixture&, any_io_executor),
                             broker_fixture& place) {
  auto loop = co_await boost::asio::this_coro::executor;
  co_await test(place, loop);
}

awaitable<void> wait_and_note(std::shared_ptr<broker::broker> store, std::string queue, std::string id,
                              std::shared_ptr<wait_under_way> note) {
  try {
    note->outcome = co_await store->wait_ended(queue, id);
  } catch (const std::exception& e) {
    note->error = e.what();
  }
  note->over = true;
}

}  // namespace

void every_broker::run(awaitable<void> (*test)(broker_fixture&, any_io_executor)) {
  const auto place = GetParam().make();
  run_on_loop(on_this_loop(test, *place));
}

std::string record_saying(std::string_view what) {
  model::record r;
  r.task = "test";
  encoder arguments(r.arguments);
  arguments.array(1);
  arguments.binary(what);
  return model::encode(r);
}

std::string outcome_saying(std::string_view what, job_state state) {
  model::outcome o;
  o.task = "test";
  if (state == job_state::succeeded) {
    encoder(o.result).binary(what);
  } else {
    o.error_type = "test::said";
    o.error = what;
  }
  return model::encode(o);
}

std::string said_in_record(std::string_view record) {
  const auto r = model::decode_record(record);
  decoder in(r.arguments, "the record");
  EXPECT_EQ(in.array(), 1u);
  return std::string(in.binary());
}

std::string said_in_outcome(std::string_view outcome) {
  const auto o = model::decode_outcome(outcome);
  if (o.result.empty()) return o.error;
  return std::string(decoder(o.result, "the outcome").binary());
}

new_job job_named(std::string id, int priority) {
  new_job made;
  made.record = record_saying("record of " + id);
  made.id = std::move(id);
  made.priority = priority;
  return made;
}

std::vector<new_job> jobs_named(const strings& ids, int priority) {
  std::vector<new_job> made;
  for (const auto& id : ids) made.push_back(job_named(id, priority));
  return made;
}

std::vector<new_job> numbered_jobs(std::size_t count, std::string_view prefix) {
  std::vector<new_job> made;
  for (std::size_t i = 0; i < count; ++i) made.push_back(job_named(fmt::format("{}{:05}", prefix, i)));
  return made;
}

settlement end(std::string id, job_state state, std::string what, std::optional<milliseconds> keep) {
  settlement made;
  made.id = std::move(id);
  made.state = state;
  made.outcome = outcome_saying(what, state);
  made.keep = keep;
  return made;
}

settlement retry_after(std::string id, milliseconds delay) {
  settlement made;
  made.id = std::move(id);
  made.kind = settlement::what::retry;
  made.delay = delay;
  return made;
}

settlement hand_back(std::string id) {
  settlement made;
  made.id = std::move(id);
  made.kind = settlement::what::hand_back;
  return made;
}

settlement begin(std::string id) {
  settlement made;
  made.id = std::move(id);
  made.kind = settlement::what::begin;
  return made;
}

awaitable<worker_end> new_worker(std::shared_ptr<broker::broker> store, std::string queue,
                                 milliseconds duration, std::optional<int> says_begin_from) {
  static int number = 0;
  worker_end made;
  made.held.queue = queue;
  made.held.token = fmt::format("token-{}", ++number);
  made.heard = std::make_shared<recorded_events>();
  made.heard->queue = queue;
  made.store = store;
  broker::worker_events events;
  auto heard = made.heard;
  events.work_ready = [heard](const std::string& of) {
    if (of == heard->queue) ++heard->work_ready;
  };
  events.cancel_requested = [heard](const std::string&, const std::string& id) {
    heard->cancels.push_back(id);
  };
  lease_options terms;
  terms.duration = duration;
  terms.worker_info = "info of " + made.held.token;
  terms.says_begin_from = says_begin_from;
  co_await store->open_lease(made.held, terms, std::move(events));
  co_return made;
}

awaitable<void> expect_no_priorities(std::shared_ptr<broker::broker> store) {
  auto text = co_await error_of<usage_error>(enqueue_one(*store, "q", job_named("urgent", 9)));
  EXPECT_NE(text.find("urgent"), std::string::npos) << text;
  EXPECT_NE(text.find("priorit"), std::string::npos) << text;
  auto summary = co_await summary_of(*store, "q");
  EXPECT_EQ(summary.queued, 0u);
}

awaitable<cancel_result> cancel(broker::broker& store, std::string queue, std::string id, std::string what,
                                std::optional<milliseconds> keep) {
  auto outcome = outcome_saying(what, job_state::cancelled);
  auto answer = co_await store.cancel(queue, id, std::move(outcome), keep);
  co_return answer;
}

awaitable<accepted> enqueue_one(broker::broker& store, std::string queue, new_job one) {
  std::vector<new_job> batch;
  batch.push_back(std::move(one));
  auto answers = co_await store.enqueue(queue, std::move(batch));
  EXPECT_EQ(answers.size(), 1u);
  co_return answers.at(0);
}

awaitable<void> enqueue_ids(broker::broker& store, std::string queue, strings ids) {
  auto answers = co_await store.enqueue(queue, jobs_named(ids));
  EXPECT_EQ(answers, std::vector<accepted>(ids.size(), accepted::yes));
}

awaitable<strings> claim_ids(const worker_end& worker, std::size_t max) {
  auto claimed = co_await worker.store->claim(worker.held, max);
  strings ids;
  for (auto& one : claimed.jobs) ids.push_back(one.id);
  co_return ids;
}

awaitable<std::vector<claimed_job>> claim_until(const worker_end& worker, std::size_t count) {
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  std::vector<claimed_job> all;
  while (all.size() < count) {
    auto claimed = co_await worker.store->claim(worker.held, count - all.size());
    for (auto& one : claimed.jobs) all.push_back(std::move(one));
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("claimed in vain");
    if (all.size() < count) co_await sleep_for(2ms);
  }
  co_return all;
}

awaitable<bool> settle_one(const worker_end& worker, settlement one) {
  std::vector<settlement> batch;
  batch.push_back(std::move(one));
  auto answers = co_await worker.store->settle(worker.held, std::move(batch));
  EXPECT_EQ(answers.size(), 1u);
  co_return answers.at(0);
}

awaitable<renewed> renew(const worker_end& worker, milliseconds duration) {
  lease_options terms;
  terms.duration = duration;
  terms.worker_info = "info of " + worker.held.token;
  auto answer = co_await worker.store->renew(worker.held, terms);
  renewed seen;
  seen.held = answer.held;
  seen.workers = answer.workers;
  for (auto& wanted : answer.cancel_requests) {
    EXPECT_EQ(wanted.queue, worker.held.queue);
    seen.cancel_requests.push_back(std::move(wanted.id));
  }
  for (const auto& queue : answer.work_ready) {
    EXPECT_EQ(queue, worker.held.queue);
    seen.work_ready = true;
  }
  co_return seen;
}

awaitable<std::optional<job_state>> state_of(broker::broker& store, std::string queue, std::string id) {
  auto details = co_await store.inspect(queue, id);
  std::optional<job_state> state;
  if (details) state = details->state;
  co_return state;
}

awaitable<broker::queue_summary> summary_of(broker::broker& store, std::string queue) {
  auto all = co_await store.queues();
  broker::queue_summary found;
  for (auto& one : all) {
    if (one.name == queue) found = one;
  }
  co_return found;
}

std::shared_ptr<wait_under_way> start_waiting(any_io_executor loop, std::shared_ptr<broker::broker> store,
                                              std::string queue, std::string id) {
  auto note = std::make_shared<wait_under_way>();
  start(loop, wait_and_note(store, queue, id, note), std::make_shared<int>(0));
  return note;
}

awaitable<void> until_waited_for(const redis_server& server, std::size_t jobs) {
  const strings all = {"KEYS", "*:waiters"};
  auto known = [&] {
    std::size_t found = 0;
    for (const auto& key : server.command(all).items)
      found += static_cast<std::size_t>(server.command({"HLEN", key.text}).integer);
    return found >= jobs;
  };
  co_await until(known);
}

awaitable<void> expect_unopened_leases_leave_nothing(const redis_server& server,
                                                     std::shared_ptr<broker::broker> store, std::string queue,
                                                     std::string spoiled, std::string channels) {
  const strings spoil = {"SET", spoiled, "not a sorted set"}, mend = {"DEL", spoiled};
  const strings subscribed = {"PUBSUB", "CHANNELS", channels};
  server.command(spoil);
  for (int i = 0; i < 5; ++i) {
    const auto why = co_await error_of<broker_error>(new_worker(store, queue));
    EXPECT_NE(why.find("WRONGTYPE"), std::string::npos) << why;
  }
  auto none = [&] { return server.command(subscribed).items.empty(); };
  co_await until(none);
  server.command(mend);
  auto worker = co_await new_worker(store, queue);
  co_await claim_ids(worker, 1);
  co_await enqueue_ids(*store, queue, strings(1, "job"));
  auto rung = [&] { return worker.heard->work_ready > 0; };
  co_await until(rung);
  EXPECT_EQ(server.command(subscribed).items.size(), 1u);
}

awaitable<void> until_all_are_over(const std::vector<std::shared_ptr<wait_under_way>>& waits) {
  auto over = [&] {
    return std::all_of(waits.begin(), waits.end(), [](const auto& one) { return one->over; });
  };
  co_await until(over);
}

awaitable<void> until_run_out(milliseconds duration) {
  // Brokers count whole milliseconds, of clocks that may differ by some.
  const auto past = std::chrono::steady_clock::now() + duration + 20ms;
  auto ran_out = [&] { return std::chrono::steady_clock::now() > past; };
  co_await until(ran_out);
}

void start(any_io_executor loop, awaitable<void> task, std::shared_ptr<int> running) {
  ++*running;
  boost::asio::co_spawn(loop, std::move(task), [running](std::exception_ptr failure) {
    --*running;
    if (failure) std::rethrow_exception(failure);
  });
}

}  // namespace quarq::test

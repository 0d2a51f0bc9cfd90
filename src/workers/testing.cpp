#include <algorithm>
#include <exception>
#include <map>
#include <optional>

#include <boost/asio/this_coro.hpp>

#include <quarq/gather.hpp>
#include <quarq/testing.hpp>

#include "broker/sqlite/broker.hpp"
#include "broker/sqlite/settable_clock.hpp"
#include "clients/queue_impl.hpp"
#include "model/record.hpp"
#include "workers/worker.hpp"

namespace quarq {

namespace asio = boost::asio;
namespace sqlite_impl = broker::sqlite;

namespace workers {
namespace {

constexpr const char* only_queue = "default";

/// A store of one's own in memory, with a clock that is moved whenever its one job waits for a time.
class single_run {
 public:
  single_run(worker_impl& like, const asio::any_io_executor& loop)
      : store_(std::make_shared<sqlite_impl::writer_thread>(settings())),
        broker_(broker_on(loop)),
        queue_(std::make_shared<clients::queue_impl>("sqlite::memory:", only_queue)) {
    queue_->use(broker_, loop);
    environment on = real_environment();
    on.has_watchdog = false;
    on.open_broker = [this](const std::string&, const asio::any_io_executor& its_loop,
                            std::optional<milliseconds>) { return broker_on(its_loop); };
    worker_ = std::make_shared<worker_impl>(like.setup.options, std::move(on));
    worker_->setup = like.setup;
    worker_->setup.crons.clear();
    auto& o = worker_->setup.options;
    o.queues = {served_queue{}};
    o.trace.clear();
    o.burst = false;
    o.max_jobs = 0;
    worker_->setup.after_commit = [this, users = like.setup.after_commit](context& ctx, const job_end& end) {
      return skip_pause(users, ctx, end);
    };
  }
  single_run(const single_run&) = delete;
  single_run& operator=(const single_run&) = delete;

  awaitable<std::string> run(detail::call_data call) {
    call.options.delay = {};
    call.options.at.reset();
    co_await gather(worker_->run(), ask(std::move(call)));
    if (failure_) std::rethrow_exception(failure_);
    co_return std::move(result_);
  }

 private:
  sqlite_impl::database_settings settings() const {
    sqlite_impl::database_settings s;
    s.file = ":memory:";
    s.times = time_->for_store();
    return s;
  }

  std::shared_ptr<broker::broker> broker_on(const asio::any_io_executor& loop) const {
    return std::make_shared<sqlite_impl::sqlite_broker>(store_, loop, broker::open_options{});
  }

  awaitable<void> ask(detail::call_data call) {
    try {
      std::vector<detail::call_data> calls;
      calls.push_back(std::move(call));
      const auto sent = co_await detail::enqueue(queue_, std::move(calls));
      const detail::job_handle job(queue_, sent.front().id);
      result_ = co_await job.result(std::nullopt);
    } catch (...) {
      failure_ = std::current_exception();
    }
    worker_->stop("run_now()");
  }

  awaitable<void> skip_pause(worker::end_hook users, context& ctx, const job_end& end) {
    const auto job = co_await broker_->inspect(only_queue, ctx.id());
    if (job && job->state == job_state::deferred && job->due_at) {
      time_->set(std::max(time_->now(), *job->due_at));
      store_->wall_was_set();
    }
    if (users) co_await users(ctx, end);
  }

  const std::shared_ptr<sqlite_impl::settable_clock> time_ = std::make_shared<sqlite_impl::settable_clock>(
      std::chrono::floor<broker::milliseconds>(std::chrono::system_clock::now()));
  const std::shared_ptr<sqlite_impl::writer_thread> store_;
  const std::shared_ptr<broker::broker> broker_;
  const std::shared_ptr<clients::queue_impl> queue_;
  std::shared_ptr<worker_impl> worker_;
  std::string result_;
  std::exception_ptr failure_;
};

}  // namespace
}  // namespace workers

namespace detail {

awaitable<std::string> run_now(worker& by, call_data call) {
  const auto loop = co_await asio::this_coro::executor;
  workers::single_run one(workers::worker_access::impl(by), loop);
  auto result = co_await one.run(std::move(call));
  co_return result;
}

awaitable<std::vector<std::string>> waiting_arguments(queue where, std::string task) {
  constexpr std::size_t max_jobs = 1'000'000;
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue_access::impl(where)->on(loop);
  const auto queued = co_await broker->list(where.name(), job_state::queued, max_jobs);
  const auto deferred = co_await broker->list(where.name(), job_state::deferred, max_jobs);
  std::multimap<std::optional<broker::time_point>, std::string> by_time;
  for (const auto* jobs : {&queued, &deferred}) {
    for (const auto& job : *jobs) {
      auto record = model::decode_record(job.record);
      if (record.task == task) by_time.emplace(job.enqueued_at, std::move(record.arguments));
    }
  }
  std::vector<std::string> all;
  for (auto& [when, arguments] : by_time) all.push_back(std::move(arguments));
  co_return all;
}

}  // namespace detail

namespace testing {

clock::clock(time_point start) : time_(std::make_shared<sqlite_impl::settable_clock>(start)) {
  sqlite_impl::go_by(time_);
}

clock::~clock() {
  sqlite_impl::stop_going_by(*time_);
}

clock::time_point clock::now() const noexcept {
  return time_->now();
}

void clock::advance(std::chrono::milliseconds by) {
  time_->advance(by);
  for (const auto& store : sqlite_impl::writer_thread::open_in_memory()) store->wall_was_set();
}

void clock::set(time_point to) {
  time_->set(to);
  for (const auto& store : sqlite_impl::writer_thread::open_in_memory()) store->wall_was_set();
}

}  // namespace testing
}  // namespace quarq

// Paths of a worker and of a pool of threads.
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include <quarq/run.hpp>
#include <quarq/thread_pool.hpp>
#include <quarq/trace.hpp>
#include <quarq/worker.hpp>

#include "../tasks.hpp"
#include "clients/new_job.hpp"
#include "free_broker.hpp"
#include "otlp/span_buffer.hpp"
#include "recorder.hpp"
#include "workers/worker.hpp"

namespace quarq::bench::instructions {
namespace {

constexpr std::size_t jobs = 2'000;

awaitable<std::int64_t> do_measure(std::string text) {
  co_return static_cast<std::int64_t>(text.size());
}
awaitable<void> do_forget(std::string) {
  co_return;
}
std::int64_t do_on_thread(std::string text) {
  return static_cast<std::int64_t>(text.size());
}

// Time stands still, so that no lease is renewed and no wait comes to its end, however slow the machine is.
workers::clock::time_point always() noexcept {
  return workers::clock::time_point(std::chrono::hours(1));
}

// From its start to its end, with a queue of jobs like this one: claimed, decoded, run and settled.
void run_worker(recorder& to, const std::string& path, const broker::new_job& like) {
  std::shared_ptr<free_broker> store;
  workers::machine_clock time(always);
  workers::environment here{time,
                            [&](const std::string&, const boost::asio::any_io_executor& loop, const auto&) {
                              return store = std::make_shared<free_broker>(like, jobs, loop);
                            }};
  worker_options options;
  options.burst = true;
  options.concurrency = 256;
  options.threads = 1;
  auto w = workers::worker_access::make(std::make_shared<workers::worker_impl>(options, std::move(here)));
  w.handle(measure, do_measure).handle(forget, do_forget).handle(on_thread, do_on_thread);
  to.begin();
  run(w.run());
  to.end(path, jobs);
  if (store->succeeded() != jobs) throw std::runtime_error(path + ": jobs are left");
}

template <class R>
void count_worker(recorder& to, const std::string& path, const task<R(std::string)>& which) {
  const auto job = clients::to_job(detail::call_access::take(which(argument())));
  for (int i = 0; i < times; ++i) run_worker(to, path, job);
}

// The part of an otlp_exporter that a worker's loop goes through.
class free_exporter final : public span_exporter {
 public:
  void add(const finished_span& one) noexcept override {
    waiting_.add(one);
    ++spans_;
    if (!waiting_.has_batch()) return;
    auto batch = waiting_.take();
    batch.clear();
    waiting_.give_back(batch);
  }
  std::size_t spans() const noexcept { return spans_; }

 private:
  otlp::span_buffer waiting_{1'024, 512};
  std::size_t spans_ = 0;
};

void count_traced(recorder& to) {
  const auto exporter = std::make_shared<free_exporter>();
  const tracing all(trace_options{.exporter = exporter});
  auto call = detail::call_access::take(forget(argument()));
  call.options.labels.set_header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const auto job = clients::to_job(std::move(call));
  for (int i = 0; i < times; ++i) run_worker(to, "run a job that is traced", job);
  if (exporter->spans() != times * jobs) throw std::runtime_error("not each job had a span");
}

// The pool's thread stands still while they are posted, so that both sides do the same each time.
void count_posts(recorder& to) {
  thread_pool_options one;
  one.size = 1;
  thread_pool pool(one);
  for (int i = 0; i < times; ++i) {
    std::promise<void> stands, may_go, done;
    pool.post([&] {
      stands.set_value();
      may_go.get_future().wait();
    });
    stands.get_future().wait();
    std::size_t ran = 0;
    to.begin();
    for (std::size_t k = 0; k < jobs; ++k) pool.post([&ran] { ++ran; });
    pool.post([&done] { done.set_value(); });
    may_go.set_value();
    done.get_future().wait();
    to.end("post to a pool of threads", jobs);
    if (ran != jobs) throw std::runtime_error("a pool of threads ran too few");
  }
}

}  // namespace

void count_running(recorder& to) {
  count_worker(to, "run a job", forget);
  count_worker(to, "run a job with a result", measure);
  count_worker(to, "run a job on a thread", on_thread);
  count_traced(to);
  count_posts(to);
}

}  // namespace quarq::bench::instructions

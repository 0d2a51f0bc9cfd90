// The thread that sends spans.
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <quarq/errors.hpp>
#include <quarq/http/client.hpp>
#include <quarq/otlp.hpp>
#include <quarq/time.hpp>

#include "async/auto_reset_event.hpp"
#include "base/log.hpp"
#include "base/owner_process.hpp"
#include "base/signals.hpp"
#include "otlp/environment.hpp"
#include "otlp/export_retry.hpp"
#include "otlp/json.hpp"
#include "otlp/span_buffer.hpp"
#include "trace/tracer.hpp"
#include "workers/log_limiter.hpp"

namespace quarq {

namespace asio = boost::asio;
using otlp::export_answer;
using otlp::milliseconds;

namespace {

void check(const otlp_options& o) {
  const auto check_positive = [](const char* option, auto value) {
    if (value < 1)
      throw usage_error(fmt::format("otlp_exporter: {}: expected at least 1, got {}", option, value));
  };
  check_positive("timeout", o.timeout.count());
  check_positive("max_queue", o.max_queue);
  check_positive("max_batch", o.max_batch);
  if (o.delay < milliseconds{0}) throw usage_error("otlp_exporter: delay: expected at least 0 ms");
}

http::client_options settings_of(const otlp_options& o) {
  http::client_options settings;
  settings.timeout = o.timeout;
  settings.max_redirects = 0;
  settings.max_body = std::size_t{1} << 20;
  try {
    for (const auto& [name, value] : o.headers) settings.headers.set(name, value);
  } catch (const usage_error&) {
    // What it says may show the value.
    throw usage_error("otlp_exporter: headers: one of them has a name or a value that HTTP can't carry");
  }
  return settings;
}

}  // namespace

class otlp_exporter::impl {
 public:
  explicit impl(otlp_options options);
  ~impl();
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  void add(const finished_span& span);
  void flush(milliseconds limit);
  span_counts counts() const noexcept { return {exported_, dropped_}; }

 private:
  using lock = std::unique_lock<std::mutex>;

  void wake(lock& held);
  void run();
  void ended(const std::exception_ptr& thrown);
  awaitable<void> send_all();
  awaitable<void> wait_for_batch();
  otlp::stored_spans take();
  void give_back(otlp::stored_spans& taken);
  awaitable<void> send(otlp::stored_spans batch);
  awaitable<export_answer> post(std::string_view body);
  void taken(std::size_t count, std::string_view answer);
  void lost(std::size_t count, std::string_view why);
  void complain(std::string_view why);
  void batch_ended();

  const base::owner_process owner_;
  const otlp_options options_;
  const std::string url_;
  std::atomic<std::uint64_t> exported_{0}, dropped_{0};
  std::atomic<bool> had_no_room_{false};

  std::mutex mutex_;  // guards these
  otlp::span_buffer waiting_;
  bool wake_is_posted_ = false, is_flushing_ = false, is_sending_ = false, is_closed_ = false;
  std::condition_variable all_sent_;

  // The thread's own. The loop ends before the client.
  otlp::request_writer writer_;
  http::client web_;
  asio::io_context loop_{1};
  async::auto_reset_event news_{loop_.get_executor()};
  asio::cancellation_signal end_;
  std::mt19937_64 random_{std::random_device{}()};
  workers::log_limiter complaints_;
  std::string last_error_, last_answer_;
  std::uint64_t said_dropped_ = 0;
  std::thread thread_;
};

otlp_exporter::impl::impl(otlp_options options)
    : options_((check(options), std::move(options))),
      url_(otlp::url_of(options_)),
      waiting_(options_.max_queue, std::min(options_.max_batch, options_.max_queue)),
      writer_(otlp::resource_of(options_, otlp::environment_of_this_program())),
      web_(settings_of(options_)) {
  thread_ = base::start_thread_without_signals([this] { run(); });
}

otlp_exporter::impl::~impl() {
  {
    lock held(mutex_);
    is_closed_ = true;
  }
  asio::post(loop_, [this] { end_.emit(asio::cancellation_type::terminal); });
  thread_.join();
}

// ---- for the program's threads

void otlp_exporter::impl::add(const finished_span& span) {
  lock held(mutex_);
  switch (waiting_.add(span)) {
    case otlp::span_buffer::added::dropped:
      ++dropped_;
      had_no_room_ = true;
      return;
    case otlp::span_buffer::added::waits:
      return;
    case otlp::span_buffer::added::first:
    case otlp::span_buffer::added::completes_batch:
      wake(held);
  }
}

// Where many wait, it takes one batch after another by itself.
void otlp_exporter::impl::wake(lock&) {
  if (is_sending_ || std::exchange(wake_is_posted_, true)) return;
  asio::post(loop_, [this] {
    {
      const std::lock_guard held(mutex_);
      wake_is_posted_ = false;
    }
    news_.set();
  });
}

void otlp_exporter::impl::flush(milliseconds limit) {
  if (!owner_.is_this_one()) return;
  lock held(mutex_);
  const auto is_done = [this] { return waiting_.empty() && !is_sending_; };
  if (is_done()) return;
  is_flushing_ = true;  // until all is sent, also where that takes longer
  wake(held);
  all_sent_.wait_for(held, limit, is_done);
}

// ---- on its thread

// Jobs go first: where they leave it no processor, spans are dropped, and no job waits for one.
void otlp_exporter::impl::run() {
  constexpr int lower = 10;  // on Linux, of this thread alone
  [[maybe_unused]] const int now = ::nice(lower);
  const auto at_the_end = [this](const std::exception_ptr& thrown) { ended(thrown); };
  asio::co_spawn(loop_, send_all(), asio::bind_cancellation_slot(end_.slot(), at_the_end));
  loop_.run();
}

// Connections that are kept must not keep the thread.
void otlp_exporter::impl::ended(const std::exception_ptr& thrown) {
  loop_.stop();
  const lock held(mutex_);
  if (is_closed_) return;
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    base::log().error("traces: nothing more is sent: {}", e.what());
  }
}

awaitable<void> otlp_exporter::impl::send_all() {
  while (true) {
    co_await wait_for_batch();
    auto batch = take();
    if (!batch.empty()) co_await send(std::move(batch));
    batch_ended();
  }
}

// Until there is a batch, or spans have waited for as long as they may.
awaitable<void> otlp_exporter::impl::wait_for_batch() {
  std::optional<asio::steady_timer::time_point> until;
  while (true) {
    {
      const lock held(mutex_);
      if (waiting_.has_batch() || (is_flushing_ && !waiting_.empty())) co_return;
      if (!waiting_.empty() && !until) until = asio::steady_timer::clock_type::now() + options_.delay;
    }
    if (until && asio::steady_timer::clock_type::now() >= *until) co_return;
    co_await news_.wait_until(until.value_or(asio::steady_timer::time_point::max()));
  }
}

otlp::stored_spans otlp_exporter::impl::take() {
  const lock held(mutex_);
  is_sending_ = true;
  return waiting_.take();
}

void otlp_exporter::impl::give_back(otlp::stored_spans& taken) {
  taken.clear();
  const lock held(mutex_);
  waiting_.give_back(taken);
}

void otlp_exporter::impl::batch_ended() {
  if (had_no_room_.exchange(false)) complain("more came than could be sent");
  const lock held(mutex_);
  is_sending_ = false;
  if (!waiting_.empty()) return;
  is_flushing_ = false;
  all_sent_.notify_all();
}

awaitable<void> otlp_exporter::impl::send(otlp::stored_spans batch) {
  const auto count = batch.size();
  const std::string_view body = writer_.write(batch);
  give_back(batch);
  otlp::export_retry retry;
  auto answer = co_await post(body);
  while (!answer.is_taken()) {
    const auto pause = retry.pause_after(answer, std::uniform_real_distribution<>(0, 1)(random_));
    if (!pause) break;
    co_await sleep_for(*pause);
    answer = co_await post(body);
  }
  answer.is_taken() ? taken(count, last_answer_) : lost(count, last_error_);
}

awaitable<export_answer> otlp_exporter::impl::post(std::string_view body) {
  http::request_options how;
  how.body = body;
  how.content_type = "application/json";
  export_answer came;
  try {
    auto answer = co_await web_.post(url_, how);
    came.status = answer.status;
    came.retry_after = answer.retry_after();
    last_error_ = fmt::format("the collector answers {}", answer.status);
    last_answer_ = std::move(answer.body);
  } catch (const error& e) {
    last_error_ = e.what();
  }
  co_return came;
}

void otlp_exporter::impl::taken(std::size_t count, std::string_view answer) {
  const auto rejected = std::min<std::uint64_t>(otlp::rejected_spans(answer), count);
  exported_ += count - rejected;
  if (rejected > 0) lost(rejected, "the collector has rejected them");
}

void otlp_exporter::impl::lost(std::size_t count, std::string_view why) {
  dropped_ += count;
  complain(why);
}

void otlp_exporter::impl::complain(std::string_view why) {
  if (!complaints_.may_log(workers::machine_clock::read())) return;
  const std::uint64_t all = dropped_;
  base::log().warn("traces: {} spans could not be sent: {}", all - std::exchange(said_dropped_, all), why);
}

// ----

otlp_exporter::otlp_exporter(otlp_options options) : impl_(std::make_unique<impl>(std::move(options))) {}
otlp_exporter::~otlp_exporter() = default;

void otlp_exporter::add(const finished_span& span) noexcept {
  impl_->add(span);
}
void otlp_exporter::flush(milliseconds limit) noexcept {
  impl_->flush(limit);
}
span_counts otlp_exporter::counts() const noexcept {
  return impl_->counts();
}

otlp_options otlp_options::from_environment() {
  return otlp::options_from(otlp::environment_of_this_program());
}

namespace otlp {
namespace {

std::shared_ptr<span_exporter> make(const std::string& endpoint) {
  const auto here = environment_of_this_program();
  if (is_disabled(here)) return nullptr;
  auto options = options_from(here);
  if (endpoint != "env") {
    options.endpoint = endpoint;
    options.traces_url.clear();
  }
  return std::make_shared<otlp_exporter>(std::move(options));
}

[[maybe_unused]] const bool exporters_can_be_made = (trace::set_exporter_maker(&make), true);

}  // namespace
}  // namespace otlp

}  // namespace quarq

// The library's link option asks for it, so that this object is in the program.
extern "C" void quarq_otlp_is_linked() {}

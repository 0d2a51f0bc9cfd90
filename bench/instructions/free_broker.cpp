#include "free_broker.hpp"

#include <algorithm>
#include <stdexcept>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace quarq::bench::instructions {

namespace b = quarq::broker;

namespace {

[[noreturn]] void not_here() {
  throw std::logic_error("a worker was not expected to ask for this");
}

}  // namespace

free_broker::free_broker(b::new_job like, std::size_t count, boost::asio::any_io_executor loop)
    : like_(std::move(like)), left_(count), loop_(std::move(loop)) {}

// A store answers in a later turn of the loop.
awaitable<void> free_broker::next_turn() const {
  co_await boost::asio::post(loop_, boost::asio::use_awaitable);
}

awaitable<void> free_broker::open_lease(b::worker_lease, b::lease_options, b::worker_events) {
  co_await next_turn();
}

awaitable<b::renewal> free_broker::renew(b::worker_lease, b::lease_options) {
  co_await next_turn();
  b::renewal answer;
  answer.held = true;
  co_return answer;
}

awaitable<void> free_broker::close_lease(b::worker_lease) {
  co_await next_turn();
}

awaitable<b::claim_result> free_broker::claim(b::lease, std::size_t max) {
  co_await next_turn();
  b::claim_result result;
  result.now = std::chrono::floor<b::milliseconds>(std::chrono::system_clock::now());
  const auto count = std::min(max, left_);
  result.jobs.reserve(count);
  for (; result.jobs.size() < count; --left_) {
    auto& job = result.jobs.emplace_back();
    const auto number = std::to_string(left_);
    job.id.assign(26 - number.size(), '0') += number;
    job.record = like_.record;
    job.enqueued_at = job.due_at = result.now;
  }
  co_return result;
}

awaitable<std::vector<bool>> free_broker::settle(b::lease, std::vector<b::settlement> batch) {
  co_await next_turn();
  for (const auto& one : batch) succeeded_ += one.state == job_state::succeeded;
  co_return std::vector<bool>(batch.size(), true);
}

awaitable<void> free_broker::reconcile(b::lease, std::vector<std::string>) {
  co_await next_turn();
}

awaitable<std::vector<b::accepted>> free_broker::enqueue(std::string, std::vector<b::new_job>) {
  not_here();
}
awaitable<std::optional<b::ended>> free_broker::wait_ended(std::string, std::string) {
  not_here();
}
awaitable<b::cancel_result> free_broker::cancel(std::string, std::string, std::string,
                                                std::optional<b::milliseconds>) {
  not_here();
}
awaitable<std::optional<b::job_details>> free_broker::inspect(std::string, std::string) {
  not_here();
}
awaitable<b::job_page> free_broker::page(std::string, job_state, std::size_t, std::string) {
  not_here();
}
awaitable<std::vector<b::queue_summary>> free_broker::queues() {
  not_here();
}
awaitable<std::vector<b::worker_summary>> free_broker::workers(std::string) {
  not_here();
}
awaitable<bool> free_broker::set_paused(std::string, bool) {
  not_here();
}
awaitable<bool> free_broker::is_paused(std::string) {
  not_here();
}
awaitable<std::size_t> free_broker::requeue(std::string, std::vector<std::string>) {
  not_here();
}
awaitable<std::size_t> free_broker::purge(std::string, job_state) {
  not_here();
}
awaitable<std::vector<std::string>> free_broker::warnings() {
  co_return std::vector<std::string>();
}

}  // namespace quarq::bench::instructions

#include <string>
#include <utility>

#include <quarq/errors.hpp>
#include <quarq/joinable_queue.hpp>

#include "processes/shared_ring.hpp"

namespace quarq::detail {

using processes::shared_ring;
using processes::wait_limit;
using end = processes::shared_ring::end;

namespace {

wait_limit until_stopped(std::stop_token stop) {
  return {std::nullopt, std::move(stop)};
}

wait_limit until_then(shared_queue::time_point until) {
  return {until, {}};
}

bool was_pushed(end ended) {
  if (ended == end::closed) throw closed_error("push to a queue that is closed");
  if (ended == end::stopped) throw cancelled("a stop was requested while push() waited for room in a queue");
  return ended == end::done;
}

}  // namespace

shared_queue::shared_queue(const joinable_queue_options& options)
    : ring_(std::make_shared<shared_ring>(options.capacity, options.bytes)) {}

void shared_queue::push(std::string_view item, std::stop_token stop) const {
  was_pushed(ring_->push(item, until_stopped(std::move(stop))));
}

bool shared_queue::push_until(std::string_view item, time_point until) const {
  return was_pushed(ring_->push(item, until_then(until)));
}

bool shared_queue::try_push(std::string_view item) const {
  return was_pushed(ring_->try_push(item));
}

bool shared_queue::pop(std::string& into, std::stop_token stop) const {
  return ring_->pop(into, until_stopped(std::move(stop))) == end::done;
}

bool shared_queue::pop_until(std::string& into, time_point until) const {
  return ring_->pop(into, until_then(until)) == end::done;
}

bool shared_queue::try_pop(std::string& into) const {
  return ring_->try_pop(into) == end::done;
}

void shared_queue::task_done() const {
  ring_->task_done();
}

bool shared_queue::join(std::stop_token stop) const {
  return ring_->join(until_stopped(std::move(stop))) == end::done;
}

bool shared_queue::join_until(time_point until) const {
  return ring_->join(until_then(until)) == end::done;
}

void shared_queue::close() const {
  ring_->close();
}

bool shared_queue::is_closed() const noexcept {
  return ring_->is_closed();
}

std::size_t shared_queue::size() const noexcept {
  return static_cast<std::size_t>(ring_->size());
}

std::uint64_t shared_queue::unfinished() const noexcept {
  return ring_->unfinished();
}

std::size_t shared_queue::capacity() const noexcept {
  return static_cast<std::size_t>(ring_->items());
}

void shared_queue::encode(encoder& out) const {
  out.file(ring_->descriptor());
}

shared_queue shared_queue::decode(decoder& in) {
  const int descriptor = in.file();
  try {
    return shared_queue(std::make_shared<shared_ring>(descriptor));
  } catch (const usage_error& e) {
    in.fail(std::string("expected a joinable_queue: ") + e.what());
  }
}

}  // namespace quarq::detail

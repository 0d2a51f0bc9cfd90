#include "clients/enqueue_spans.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <typeinfo>
#include <utility>

#include <quarq/detail/context_access.hpp>

#include "async/activity.hpp"
#include "base/ids.hpp"
#include "base/text.hpp"
#include "model/current_job.hpp"
#include "model/trace_context.hpp"
#include "trace/traceparent.hpp"

namespace quarq::clients {
namespace {

/// OpenTelemetry's limit for a span.
constexpr std::size_t max_links = 128;

}  // namespace

enqueue_spans::enqueue_spans(std::shared_ptr<const trace::tracer> by, queue_impl& queue, std::size_t calls)
    : by_(std::move(by)), traced_(queue.traced()), calls_(calls) {}

const context* enqueue_spans::job_of(const boost::asio::any_io_executor& executor) {
  const auto* const job = model::find_job(async::activity_of(executor));
  return job != nullptr ? &job->ctx : nullptr;
}

std::unique_ptr<enqueue_spans> enqueue_spans::begin(queue_impl& queue, std::vector<detail::call_data>& calls,
                                                    const context* job) {
  const auto by = trace::current();
  std::unique_ptr<enqueue_spans> made;
  if (!by || calls.empty()) return made;
  const bool are_apart = by->options().create_spans;
  for (std::size_t i = 0; i < (are_apart ? calls.size() : 1); ++i) {
    auto one = choose(*by, calls[i], job);
    if (!one) continue;
    if (!made) made = std::make_unique<enqueue_spans>(by, queue, calls.size());
    made->recorded_.push_back(std::move(*one));
  }
  if (made && !are_apart) made->share(calls);
  if (made) made->created_ = std::chrono::system_clock::now();
  return made;
}

// The id is made here, where it is not set: on it depends whether a trace begins.
std::optional<enqueue_spans::recorded> enqueue_spans::choose(const trace::tracer& by, detail::call_data& call,
                                                             const context* job) {
  auto& options = call.options;
  if (job != nullptr) model::context_access::pass_trace(*job, options);
  if (!options.id) {
    options.id = base::make_id();
    options.id_is_fresh = true;
  }
  auto parent = trace::context_of(options.labels.get());
  if (!by.samples(*options.id, parent ? &*parent : nullptr)) return std::nullopt;
  recorded one;
  one.span = parent ? trace::tracer::begin_child(*parent) : by.begin_trace(*options.id);
  one.parent = std::move(parent);
  one.id = *options.id;
  one.task = call.task;
  options.labels.set_header(model::trace_header, trace::to_traceparent(one.span.context));
  return one;
}

// All calls lead to one span, which is that of the first.
void enqueue_spans::share(std::vector<detail::call_data>& calls) const {
  const auto header = calls.front().options.labels.get()->headers.at(model::trace_header);
  for (auto& call : calls) {
    auto& labels = call.options.labels;
    if (!trace::context_of(labels.get())) labels.set_header(model::trace_header, header);
  }
}

awaitable<std::vector<broker::accepted>> enqueue_spans::watch(
    enqueue_spans& spans, awaitable<std::vector<broker::accepted>> sending) {
  try {
    auto answers = co_await std::move(sending);
    co_return answers;
  } catch (const std::exception& e) {
    spans.failed(e);
    throw;
  }
}

void enqueue_spans::failed(const std::exception& thrown) {
  const auto type = base::type_name(typeid(thrown));
  if (is_batch()) {
    end_batch(type, thrown.what());
  } else {
    end_single(type, thrown.what());
  }
}

void enqueue_spans::ended(const std::vector<detail::enqueued>& sent) {
  if (is_batch()) {
    end_batch({}, {});
  } else if (sent.front().accepted) {
    end_single({}, {});
  } else {
    end_single("quarq::duplicate_job", "its id was taken");
  }
}

finished_span enqueue_spans::span_of(const trace::operation& which, const trace::begun_span& one,
                                     std::chrono::system_clock::time_point end) const {
  auto made = which.span(one);
  made.start = start_;
  made.end = std::max(start_, end);
  return made;
}

void enqueue_spans::end_call(const trace::operation& which, const recorded& one,
                             std::chrono::system_clock::time_point end, std::string_view error_type,
                             std::string_view error) const {
  auto span = span_of(which, one.span, end);
  trace::own_attributes its;
  trace::add_job(its, one.id, one.task);
  if (!error_type.empty()) trace::fail(span, its, error_type, error);
  span.attributes = its;
  by_->end(span);
}

void enqueue_spans::end_single(std::string_view error_type, std::string_view error) const {
  end_call(traced_.send, recorded_.front(), std::chrono::system_clock::now(), error_type, error);
}

void enqueue_spans::end_batch(std::string_view error_type, std::string_view error) const {
  const auto& first = recorded_.front();
  const bool are_apart = by_->options().create_spans;
  std::vector<span_context> links;
  if (are_apart) {
    links.reserve(std::min(recorded_.size(), max_links));
    for (const auto& one : recorded_) {
      if (links.size() < max_links) links.push_back(one.span.context);
      end_call(traced_.create, one, created_, {}, {});
    }
  }
  const auto of_all = !are_apart     ? first.span
                      : first.parent ? trace::tracer::begin_child(*first.parent)
                                     : by_->begin_trace(first.id);
  auto send =
      span_of(are_apart ? traced_.send_batch : traced_.send, of_all, std::chrono::system_clock::now());
  trace::own_attributes its;
  its.push_back({"messaging.batch.message_count", static_cast<std::int64_t>(calls_)});
  if (!error_type.empty()) trace::fail(send, its, error_type, error);
  send.attributes = its;
  send.links = links;
  if (are_apart) send.dropped_links = recorded_.size() - links.size();
  by_->end(send);
}

}  // namespace quarq::clients

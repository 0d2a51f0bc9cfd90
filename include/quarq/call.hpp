// A call: a task with its arguments and options. What a queue is given to make a job of.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <quarq/detail/call_data.hpp>
#include <quarq/retention.hpp>
#include <quarq/retry.hpp>

namespace quarq {

/// A task with its arguments, which are encoded already. A value: store it, copy it, send it with
/// queue::enqueue, one or a vector of them. The setters may be chained:
/// `count_words(url).delay(10s).id("page")`. Nothing checks their values before enqueue does.
template <class R>
class call {
 public:
  using milliseconds = std::chrono::milliseconds;
  using result_type = R;

  /// `arguments`: one msgpack array. Calling a quarq::task makes this from typed arguments.
  call(std::string_view task, std::string arguments) : data_{std::string(task), std::move(arguments), {}} {}

  /// Names the job, 1 to 255 bytes of UTF-8. While a job with this id lives, or its result is kept, another
  /// is refused (duplicate_job). By default the job gets a new ULID.
  call& id(std::string id) & { return set(&detail::call_options::id, std::move(id)); }
  /// The job becomes due this long from now, by the broker's clock.
  call& delay(milliseconds d) & { return set(&detail::call_options::delay, d); }
  /// The job becomes due at this time, by the broker's clock. Replaces delay.
  call& at(std::chrono::system_clock::time_point when) & { return set(&detail::call_options::at, when); }
  /// If no worker has started the job this long after it became due, it ends as expired.
  call& expires(milliseconds d) & { return set(&detail::call_options::expires, d); }
  /// 0 to 9; the highest is claimed first. By default 5.
  call& priority(int p) & { return set(&detail::call_options::priority, p); }
  /// How long one attempt may take, instead of the handler's limit.
  call& timeout(milliseconds d) & { return set(&detail::call_options::timeout, d); }
  /// How often the job may be started, instead of the handler's limit. At least 1.
  call& attempts(int n) & { return set(&detail::call_options::attempts, n); }
  /// The pauses between attempts, instead of the handler's. A policy that sets the number of attempts sets
  /// it here too: `backoff(backoff::constant(1s).attempts(8))`.
  call& backoff(retry_policy p) & {
    if (p.sets_attempts()) attempts(p.max_attempts());
    return set(&detail::call_options::backoff, p);
  }
  /// How long the result can be looked up after the job's end, instead of the handler's time: a duration (0:
  /// not at all) or quarq::forever.
  call& keep_result(retention r) & { return set(&detail::call_options::keep_result, r); }

  /// A header: text that goes with the job, for handlers (context::headers), operators and other programs. The name: 1
  /// to 64 letters, digits, `-`, `_` and `.`; it replaces one of the same name. "traceparent" and "tracestate" are those of W3C's
  /// Trace Context. All headers and tags of a call together have 4096 bytes at most.
  call& header(std::string name, std::string value) & {
    data_.options.labels.set_header(std::move(name), std::move(value));
    return *this;
  }
  /// A tag: a word by which operators find the job (job_filter::tag), 1 to 64 bytes of UTF-8. 16 at most.
  call& tag(std::string word) & {
    data_.options.labels.add_tag(std::move(word));
    return *this;
  }
  /// The version of the arguments' form or meaning, from 1, for handlers that still get older ones
  /// (context::version). 0: none.
  call& version(int number) & {
    data_.options.labels.set_version(number);
    return *this;
  }

  call&& id(std::string id) && { return std::move(this->id(std::move(id))); }
  call&& delay(milliseconds d) && { return std::move(this->delay(d)); }
  call&& at(std::chrono::system_clock::time_point when) && { return std::move(this->at(when)); }
  call&& expires(milliseconds d) && { return std::move(this->expires(d)); }
  call&& priority(int p) && { return std::move(this->priority(p)); }
  call&& timeout(milliseconds d) && { return std::move(this->timeout(d)); }
  call&& attempts(int n) && { return std::move(this->attempts(n)); }
  call&& backoff(retry_policy p) && { return std::move(this->backoff(p)); }
  call&& keep_result(retention r) && { return std::move(this->keep_result(r)); }

  call&& header(std::string name, std::string value) && {
    return std::move(this->header(std::move(name), std::move(value)));
  }
  call&& tag(std::string word) && { return std::move(this->tag(std::move(word))); }
  call&& version(int number) && { return std::move(this->version(number)); }

  const std::string& task() const noexcept { return data_.task; }
  /// A msgpack array.
  const std::string& arguments() const noexcept { return data_.arguments; }
  const detail::call_options& options() const noexcept { return data_.options; }

 private:
  friend struct detail::call_access;

  template <class Member, class Value>
  call& set(Member detail::call_options::* member, Value&& value) {
    data_.options.*member = std::forward<Value>(value);
    return *this;
  }

  detail::call_data data_;
};

}  // namespace quarq

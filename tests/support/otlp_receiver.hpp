// A collector of traces, as OTLP over HTTP has them in JSON.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <quarq/http/server.hpp>

#include "support/served.hpp"

namespace quarq::test {

struct received_span {
  std::string trace_id, span_id, parent, name, trace_state, message;
  int kind = 0, status = 0;
  std::int64_t start_ns = 0, end_ns = 0;
  std::map<std::string, std::string> attributes;           ///< integers as their digits
  std::vector<std::pair<std::string, std::string>> links;  ///< trace and span
  std::map<std::string, std::string> resource;

  std::string of(const std::string& attribute) const {
    const auto found = attributes.find(attribute);
    return found == attributes.end() ? "" : found->second;
  }
};

/// Reads an ExportTraceServiceRequest, and is strict about it: a member that the message does not have, an id
/// that is not hexadecimal, or a 64-bit number that is no string is an error. Throws std::runtime_error that
/// names it.
std::vector<received_span> read_traces(std::string_view json);

/// Listens on a port of its own, on a thread of its own. Thread safety: any.
class otlp_receiver {
 public:
  struct answer {
    int status = 200;
    std::string body = "{}";
    std::string retry_after = {};
  };

  otlp_receiver();
  ~otlp_receiver();

  /// Without a path.
  std::string endpoint() const;
  /// To the next requests, in their order; the others get 200.
  void answer_next(std::vector<answer> answers);
  /// Requests get no answer until open().
  void hold();
  void open();

  /// Of the requests that were answered with 200.
  std::vector<received_span> spans() const;
  std::size_t requests() const;
  /// Waits until so many requests have come, answered or not.
  bool wait_for_requests(std::size_t count) const;
  /// Of all requests: the values of this field.
  std::vector<std::string> headers(const std::string& name) const;
  /// What was wrong with requests; empty: nothing.
  std::string problems() const;
  /// Waits until so many spans have come; false if they do not within the default timeout.
  bool wait_for_spans(std::size_t count) const;

 private:
  struct state;
  std::shared_ptr<state> state_;
  http::server web_;
  std::unique_ptr<served> running_;
};

}  // namespace quarq::test

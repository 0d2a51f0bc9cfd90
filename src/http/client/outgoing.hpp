// A request as it will be sent: all that its options refer to, copied.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/http/client.hpp>
#include <quarq/http/fields.hpp>

#include "http/client/url.hpp"

namespace quarq::http {

struct outgoing {
  std::string method;
  url target;
  fields headers;  ///< without Host and without those that frame the body
  bool has_body = false;
  std::string body;
  std::optional<body_stream> stream;  ///< instead of `body`
  bool stream_has_begun = false;      ///< then it can't be sent again

  std::chrono::milliseconds timeout{};
  int max_redirects = 0;
  std::size_t max_body = 0;
  bool decompress = false;

  bool is_idempotent() const;
  bool body_can_be_sent_again() const noexcept { return !stream_has_begun; }
};

/// What a client gives to all of its requests.
struct request_defaults {
  /// Throws usage_error for fields that a request can't have.
  explicit request_defaults(const client_options& from);

  const client_options& options;  ///< must exist for as long as this
  fields headers;                 ///< its own, and User-Agent, Accept and Accept-Encoding
};

/// Throws usage_error for what can't be a request.
outgoing make_outgoing(const request_defaults& defaults, std::string_view method, std::string_view target,
                       const request_options& options);

/// What a request says on one connection only; "" leaves a field out.
struct added_fields {
  std::string cookies{};
  std::string proxy_authorization{};
};
/// Start line, fields and blank line. `through_proxy`: the target is the whole URL.
std::string header_of(const outgoing& request, bool through_proxy, const added_fields& added);

/// "Basic dXNlcjpwYXNz"; "" if there is neither.
std::string basic_credentials(const url& from);

}  // namespace quarq::http

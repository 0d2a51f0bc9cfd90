// What a client's request may have besides its method and its URL.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/codec.hpp>
#include <quarq/http/fields.hpp>

namespace quarq::http {

/// Names with values, as a form or behind the "?" of a URL: application/x-www-form-urlencoded. A name may occur
/// several times.
class form {
 public:
  form() = default;
  form(std::initializer_list<std::pair<std::string_view, std::string_view>> values);
  form& add(std::string_view name, std::string_view value);
  /// "a=1&b=x+y".
  const std::string& encoded() const noexcept { return encoded_; }

 private:
  std::string encoded_;
};

/// Fields and files as a form with an upload sends them: multipart/form-data.
class multipart {
 public:
  multipart();
  /// These throw quarq::usage_error for CR, LF or NUL in a name, a file name or a type.
  multipart& add(std::string_view name, std::string_view value);
  multipart& add_file(std::string_view name, std::string_view file_name, std::string_view content,
                      std::string_view content_type = "application/octet-stream");
  /// "multipart/form-data; boundary=...".
  std::string content_type() const;
  /// The whole body.
  std::string encoded() const;

 private:
  void begin_part(std::string_view name);
  std::string boundary_;
  std::string parts_;
};

/// A body that is made while it is sent.
struct body_stream {
  /// The next bytes; "" at the end. What it throws ends the request, and is thrown by it.
  std::function<awaitable<std::string>()> next;
  /// If it is known; otherwise the body is sent in chunks. Another number of bytes is an error.
  std::optional<std::uint64_t> size{};
};

/// Refers to a T, or to none. The T need not exist for longer than the call that takes the options.
template <class T>
class borrowed {
 public:
  constexpr borrowed() = default;
  constexpr borrowed(const T& value) noexcept : value_(&value) {}
  constexpr const T* get() const noexcept { return value_; }

 private:
  const T* value_ = nullptr;
};

/// Refers to a value that is sent as JSON: a struct described with BOOST_DESCRIBE_STRUCT, or whatever else has a
/// codec.
class json_value {
 public:
  constexpr json_value() = default;
  template <class T>
    requires (!std::is_same_v<T, json_value>)
  json_value(const T& value) noexcept
      : value_(&value), encode_([](const void* v) { return to_msgpack(*static_cast<const T*>(v)); }) {}

  explicit operator bool() const noexcept { return value_ != nullptr; }
  std::string msgpack() const { return encode_(value_); }

 private:
  const void* value_ = nullptr;
  std::string (*encode_)(const void*) = nullptr;
};

/// All of them may be left out: `{.timeout = 5s}`. What they refer to need not exist for longer than the call that
/// takes them: `{.json = new_user, .headers = headers}`. At most one of json, form, multipart, body and stream.
struct request_options {
  /// For everything from waiting for a connection to the last byte of the answer, redirects and retries included.
  /// Without a value: the client's.
  std::optional<std::chrono::milliseconds> timeout{};
  json_value json{};
  borrowed<http::form> form{};
  borrowed<http::multipart> multipart{};
  /// The body as it is. Its type is text/plain in UTF-8 unless content_type says otherwise.
  std::optional<std::string_view> body{};
  borrowed<body_stream> stream{};
  /// Instead of the body's own type.
  std::string_view content_type{};
  /// Appended to the URL, behind "?" or "&".
  borrowed<http::form> query{};
  /// Besides the client's and those of HTTP itself; of the same name these come instead. Content-Length and
  /// Transfer-Encoding are refused.
  borrowed<fields> headers{};
  /// "Authorization: Bearer ...".
  std::string_view bearer{};
  /// How many redirects are followed; 0: none, the answer is the redirect itself. Without a value: the client's.
  std::optional<int> max_redirects{};
  /// Of the answer's body, without its codings, in bytes. Without a value: the client's.
  std::optional<std::size_t> max_body{};
};
// So that g++ 12 compiles them rightly as a temporary in a co_await expression (docs/gcc12.md).
static_assert(std::is_trivially_destructible_v<request_options>);

}  // namespace quarq::http

// A value that nobody gets to see by accident.
#pragma once

#include <concepts>
#include <iosfwd>
#include <string_view>
#include <utility>

#include <quarq/codec.hpp>

namespace quarq {

/// A password, a key, a token: the value is had by expose() only. What quarq prints of it is "******": debug print,
/// errors, and JSON Schema, where it is `writeOnly`. Its codec writes the value itself, since a job has to get it.
///     struct login { std::string name; quarq::secret<std::string> password; };
template <class T>
class secret {
 public:
  using value_type = T;
  secret() = default;
  explicit secret(T value) : value_(std::move(value)) {}

  const T& expose() const noexcept { return value_; }
  T& expose() noexcept { return value_; }

  friend bool operator==(const secret&, const secret&)
    requires std::equality_comparable<T>
  = default;
  template <class Stream>
    requires std::derived_from<Stream, std::ostream>
  friend Stream& operator<<(Stream& out, const secret&) {
    out.write("******", 6);
    return out;
  }

 private:
  T value_{};
};

template <codable T>
struct codec<secret<T>> {
  static void encode(encoder& out, const secret<T>& value) { quarq::encode(out, value.expose()); }
  static secret<T> decode(decoder& in) { return secret<T>(quarq::decode<T>(in)); }
};

}  // namespace quarq

// Bodies without their content codings: gzip, deflate, br.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quarq::http {

enum class coding { gzip, deflate, brotli };

/// The codings that a field Content-Encoding names, in the order in which they were applied; "identity" is none of
/// them. Nullopt if one is unknown, or if there are more than four.
std::optional<std::vector<coding>> codings_of(std::string_view content_encoding);

/// Undoes codings in steps, so that a small body that becomes a huge one costs only what is read of it:
///     decoder.feed(bytes);
///     while (const auto size = decoder.read(space)) use(space, size);
/// and at the end of the body finish(). "deflate" is read with and without zlib's header, since both are sent.
class content_decoder {
 public:
  explicit content_decoder(const std::vector<coding>& codings);
  ~content_decoder();
  content_decoder(const content_decoder&) = delete;
  content_decoder& operator=(const content_decoder&) = delete;

  /// The next bytes of the body. They must exist until read() returns 0. REQUIRES: it has returned 0 since the
  /// last feed().
  void feed(std::string_view bytes) noexcept { input_ = bytes; }
  /// Decoded bytes; 0: all that was fed is used. Throws quarq::decode_error.
  std::size_t read(std::span<char> space);
  /// Throws quarq::decode_error if the body is not complete.
  void finish() const;

  class layer;

 private:
  std::size_t read(std::size_t which, std::span<char> space);

  std::string_view input_;
  bool has_begun_ = false;
  std::vector<std::unique_ptr<layer>> layers_;  // that of the coding that was applied last is the first
};

}  // namespace quarq::http

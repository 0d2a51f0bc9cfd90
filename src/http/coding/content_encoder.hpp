// Bodies with a content coding: gzip or br.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/coding/content_decoder.hpp"

namespace quarq::http {

/// "gzip", "br": for Content-Encoding.
const char* name_of(coding which) noexcept;

/// The coding that a peer with this field Accept-Encoding likes best: br before gzip where it does not care.
/// Nullopt: none of them.
std::optional<coding> best_coding(std::string_view accept_encoding);

/// Compresses a body in steps.
class content_encoder {
 public:
  /// REQUIRES: not deflate, which peers read in different ways.
  explicit content_encoder(coding which);
  ~content_encoder();
  content_encoder(const content_encoder&) = delete;
  content_encoder& operator=(const content_encoder&) = delete;

  /// Appends to `out` what is ready of the body so far.
  void write(std::string_view bytes, std::string& out);
  /// Appends all that is missing, so that the peer can read what was written. Costs some compression.
  void flush(std::string& out);
  /// Appends the rest. Nothing may follow.
  void finish(std::string& out);

  class compressor;

 private:
  std::unique_ptr<compressor> compressor_;
};

}  // namespace quarq::http

#include "http/coding/content_encoder.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <new>

#include <brotli/encode.h>
#include <zlib.h>

#include "base/assert.hpp"
#include "base/text.hpp"
#include "http/coding/list.hpp"
#include "http/message/characters.hpp"

namespace quarq::http {

namespace {

constexpr std::size_t at_once = std::size_t{16} << 10;
constexpr int gzip_level = 6;
constexpr int brotli_quality = 4;  // about as fast as gzip's 6

// "gzip;q=0.5": thousandths; 1000 without a weight, 0 if it is none.
int weight_of(std::string_view parameters) {
  const auto q = parameters.find("q=");
  if (q == parameters.npos) return 1000;
  const auto text = base::trimmed(parameters.substr(q + 2));
  if (text.starts_with('1')) return 1000;
  if (!text.starts_with("0")) return 0;
  int weight = 0;
  for (std::size_t i = 2; i < 5; ++i) {
    const bool is_digit = i < text.size() && text[i] >= '0' && text[i] <= '9';
    weight = weight * 10 + (is_digit ? text[i] - '0' : 0);
  }
  return weight;
}

}  // namespace

const char* name_of(coding which) noexcept {
  switch (which) {
    case coding::gzip:
      return "gzip";
    case coding::deflate:
      return "deflate";
    case coding::brotli:
      return "br";
  }
  return "";
}

std::optional<coding> best_coding(std::string_view accept_encoding) {
  int gzip = -1, brotli = -1, any = 0;
  for (const auto element : list_elements(accept_encoding)) {
    const auto semicolon = std::min(element.find(';'), element.size());
    const auto name = base::trimmed(element.substr(0, semicolon));
    const int weight = weight_of(element.substr(semicolon));
    if (equal_names(name, "gzip") || equal_names(name, "x-gzip")) gzip = weight;
    if (equal_names(name, "br")) brotli = weight;
    if (name == "*") any = weight;
  }
  if (gzip < 0) gzip = any;
  if (brotli < 0) brotli = any;
  if (brotli > 0 && brotli >= gzip) return coding::brotli;
  if (gzip > 0) return coding::gzip;
  return std::nullopt;
}

class content_encoder::compressor {
 public:
  enum class how { go_on, flush, finish };
  virtual ~compressor() = default;
  virtual void compress(std::string_view bytes, how, std::string& out) = 0;
};

namespace {

class gzip_compressor final : public content_encoder::compressor {
 public:
  gzip_compressor() {
    const int memory = 8;
    if (::deflateInit2(&stream_, gzip_level, Z_DEFLATED, 15 + 16, memory, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~gzip_compressor() override { ::deflateEnd(&stream_); }

  void compress(std::string_view bytes, how mode, std::string& out) override {
    QUARQ_ASSERT(bytes.size() <= std::numeric_limits<uInt>::max());
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    const int flush = mode == how::go_on ? Z_NO_FLUSH : mode == how::flush ? Z_SYNC_FLUSH : Z_FINISH;
    do {
      std::array<char, at_once> space;
      stream_.next_out = reinterpret_cast<Bytef*>(space.data());
      stream_.avail_out = static_cast<uInt>(space.size());
      ::deflate(&stream_, flush);
      out.append(space.data(), space.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

 private:
  z_stream stream_{};
};

class brotli_compressor final : public content_encoder::compressor {
 public:
  brotli_compressor()
      : state_(::BrotliEncoderCreateInstance(nullptr, nullptr, nullptr), &::BrotliEncoderDestroyInstance) {
    if (!state_) throw std::bad_alloc();
    ::BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY, brotli_quality);
  }

  void compress(std::string_view bytes, how mode, std::string& out) override {
    const auto operation = mode == how::go_on   ? BROTLI_OPERATION_PROCESS
                           : mode == how::flush ? BROTLI_OPERATION_FLUSH
                                                : BROTLI_OPERATION_FINISH;
    std::size_t in_left = bytes.size();
    const auto* next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
    do {
      std::array<std::uint8_t, at_once> space;
      std::size_t out_left = space.size();
      auto* next_out = space.data();
      if (!::BrotliEncoderCompressStream(state_.get(), operation, &in_left, &next_in, &out_left, &next_out,
                                         nullptr))
        throw std::bad_alloc();
      out.append(reinterpret_cast<const char*>(space.data()), space.size() - out_left);
    } while (in_left > 0 || ::BrotliEncoderHasMoreOutput(state_.get()) == BROTLI_TRUE);
  }

 private:
  std::unique_ptr<BrotliEncoderState, decltype(&::BrotliEncoderDestroyInstance)> state_;
};

}  // namespace

content_encoder::content_encoder(coding which) {
  QUARQ_ASSERT(which != coding::deflate);
  if (which == coding::brotli)
    compressor_ = std::make_unique<brotli_compressor>();
  else
    compressor_ = std::make_unique<gzip_compressor>();
}

content_encoder::~content_encoder() = default;

void content_encoder::write(std::string_view bytes, std::string& out) {
  compressor_->compress(bytes, compressor::how::go_on, out);
}

void content_encoder::flush(std::string& out) {
  compressor_->compress({}, compressor::how::flush, out);
}

void content_encoder::finish(std::string& out) {
  compressor_->compress({}, compressor::how::finish, out);
}

}  // namespace quarq::http

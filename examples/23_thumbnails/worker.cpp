// A worker that makes thumbnails: a coroutine asks for two jobs and awaits them, one of which runs on a thread, and
// one in a process, because it may take too much memory.
#include <cstdint>
#include <fstream>
#include <iterator>
#include <vector>

#include <quarq/quarq.hpp>

#include "tasks.hpp"

using namespace std::chrono_literals;
using namespace quarq::literals;

// Pictures are PPM files of 8 bits a channel, which need no library.
struct picture {
  std::size_t width = 0, height = 0;
  std::string rgb;
};

picture read_picture(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string format;
  picture p;
  int max = 0;
  in >> format >> p.width >> p.height >> max;
  in.get();
  p.rgb.assign(std::istreambuf_iterator<char>(in), {});
  if (format != "P6" || max != 255 || p.rgb.size() != 3 * p.width * p.height) {
    throw quarq::permanent_failure(file + " is not a PPM file");  // trying again would not help
  }
  return p;
}

void write_picture(const std::string& file, const picture& p) {
  std::ofstream out(file, std::ios::binary);
  out << "P6\n" << p.width << " " << p.height << "\n255\n" << p.rgb;
}

// A box filter: each pixel is the mean of four.
picture halved(const picture& p) {
  picture small{p.width / 2, p.height / 2, {}};
  const auto channel = [&](std::size_t x, std::size_t y, std::size_t c) -> unsigned {
    return static_cast<unsigned char>(p.rgb[3 * (y * p.width + x) + c]);
  };
  for (std::size_t y = 0; y < small.height; ++y) {
    for (std::size_t x = 0; x < small.width; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        const unsigned sum = channel(2 * x, 2 * y, c) + channel(2 * x + 1, 2 * y, c) +
                             channel(2 * x, 2 * y + 1, c) + channel(2 * x + 1, 2 * y + 1, c);
        small.rgb.push_back(static_cast<char>(sum / 4));
      }
    }
  }
  return small;
}

// In a process of its own: what it does there harms no other job. It stands for a library that now and then takes far
// too much memory. The process is killed then, which is one failed attempt, and the next one succeeds.
std::string do_shrink(quarq::context& ctx, std::string file) {
  if (file.starts_with("huge") && ctx.attempt() == 1) {
    std::vector<std::string> leak;
    while (true) leak.emplace_back(16 << 20, 'x');
  }
  picture p = read_picture(file);
  while (p.width > 64) p = halved(p);
  write_picture(file + ".small", p);
  return std::to_string(p.width) + "x" + std::to_string(p.height);
}

// A plain function: on a thread.
std::string do_checksum(std::string file) {
  std::ifstream in(file, std::ios::binary);
  std::uint32_t hash = 2166136261u;  // FNV-1a
  for (std::istreambuf_iterator<char> at(in), end; at != end; ++at) {
    hash = (hash ^ static_cast<unsigned char>(*at)) * 16777619u;
  }
  return std::to_string(hash);
}

// A coroutine: on the worker's loop. While it waits, its slot is free for the jobs that it waits for. And if it is
// cancelled, or fails, these are cancelled, too.
quarq::awaitable<std::string> do_make_thumbnail(quarq::context& ctx, std::string file) {
  const quarq::enqueue_options tied{.cancel_with_parent = true};
  const auto sum = co_await ctx.enqueue(checksum(file), tied);
  const auto small = co_await ctx.enqueue(shrink(file), tied);
  const auto size = co_await small.result();
  const auto hash = co_await sum.result();
  co_return file + ": " + size + ", checksum " + hash;
}

int main(int argc, char** argv) {
  quarq::worker worker({.concurrency = 4});
  worker.handle(make_thumbnail, do_make_thumbnail, {.timeout = 1min});
  worker.handle(checksum, do_checksum);
  worker.handle(shrink, do_shrink,
                {.on = quarq::level::process,
                 .timeout = 30s,
                 .memory_limit = 256_MiB,
                 .retry = quarq::backoff::constant(50ms).attempts(3)});
  return worker.main(argc, argv);
}

// The client: draws some pictures, has thumbnails made of all of them, and shows how far that is. Ctrl-C
// takes back what is not done. QUARQ_BROKER=redis://... in both programs, and nothing else changes.
#include <fstream>
#include <iostream>

#include <quarq/quarq.hpp>

#include "tasks.hpp"

// A colour gradient of 640 x 480.
void draw(const std::string& file, int red) {
  std::ofstream out(file, std::ios::binary);
  out << "P6\n640 480\n255\n";
  for (int y = 0; y < 480; ++y) {
    for (int x = 0; x < 640; ++x)
      out << static_cast<char>(red) << static_cast<char>(x / 3) << static_cast<char>(y / 2);
  }
}

quarq::awaitable<void> client() {
  std::vector<std::string> files;
  int red = 0;
  for (const char* name : {"dunes", "forest", "harbour", "huge", "meadow", "sea"}) {
    files.push_back(std::string(name) + ".ppm");
    draw(files.back(), red += 40);
  }
  files.emplace_back("broken.ppm");
  std::ofstream(files.back()) << "no picture";
  std::cout << files.size() << " pictures" << std::endl;

  // As many at once as one likes: more than the worker runs.
  const quarq::machines workers{quarq::queue()};
  const auto outcomes = co_await workers.map_outcomes(make_thumbnail, files, {.max_concurrency = 100},
                                                      quarq::terminal_bar("thumbnails"));
  for (const auto& one : outcomes) std::cout << (one.ok() ? one.value() : "failed: " + one.message()) << "\n";
}

int main() {
  return quarq::main(client());
}

// It prints:
//   7 pictures
//   dunes.ppm: 40x30, checksum 1138674449
//   forest.ppm: 40x30, checksum 3732565521
//   harbour.ppm: 40x30, checksum 252509521
//   huge.ppm: 40x30, checksum 2817889233
//   meadow.ppm: 40x30, checksum 3657041681
//   sea.ppm: 40x30, checksum 1443670545
//   failed: broken.ppm is not a PPM file

// `quarq-bench models`: models beside what parses the same bytes without looking at them.
#pragma once

namespace quarq::bench {

int models_main(int argc, char** argv);

}  // namespace quarq::bench

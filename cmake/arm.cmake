# SPDX-License-Identifier: Apache-2.0
# Toolchain file: Cortex-M3 (override with -DAG_CPU=cortex-m4), Debian's gcc-arm-none-eabi and picolibc.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(AG_CPU cortex-m3 CACHE STRING "Cortex-M core to compile for")
set(CMAKE_C_FLAGS_INIT "-mcpu=${AG_CPU} -mthumb --specs=picolibc.specs")

// SPDX-License-Identifier: Apache-2.0
// What the example runs: a function that calls the host, and one that can trap.
__attribute__((import_module("env"), import_name("print"))) void print(int value);

__attribute__((export_name("primes"))) int primes(int limit)
{
    int count = 0;
    for (int n = 2; n < limit; n++) {
        int divisor = 2;
        while (divisor * divisor <= n && n % divisor != 0)
            divisor++;
        if (divisor * divisor > n)
            count++;
    }
    print(count);
    return count;
}

__attribute__((export_name("divide"))) int divide(int a, int b)
{
    return a / b;
}

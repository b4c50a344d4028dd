"""Joins the daily report and the hourly temperatures by month, on Spark, and prints the months as CSV.

It is given two files. The lines are month, days of rain, millimetres of rain, highest, lowest and usual temperature.
"""

import sys

from pyspark.sql import SparkSession, functions

spark = SparkSession.builder.getOrCreate()


def read(path, schema):
    # In one part: numbers are added up in the order of the file, so that the sums are the same to the last digit.
    return spark.read.csv(path, schema=schema, header=True).coalesce(1)


def main(report, temperatures):
    hours = read(temperatures, "measured_at string, fahrenheit double")
    celsius = (functions.col("fahrenheit") - 32) * 5 / 9
    of_year = functions.substring("measured_at", 6, 2).alias("of_year")
    normals = hours.groupBy(of_year).agg(functions.avg(celsius).alias("normal"))

    days = read(report, "date string, rain double, highest double, lowest double, wind double, weather string")
    month = functions.concat_ws("-", functions.substring("date", 1, 4), functions.substring("date", 6, 2))
    months = days.groupBy(month.alias("month")).agg(
        functions.sum((functions.col("rain") > 0).cast("int")).alias("rain_days"),
        functions.sum("rain").alias("rain"),
        functions.max("highest").alias("highest"),
        functions.min("lowest").alias("lowest"),
    )

    joined = months.withColumn("of_year", functions.substring("month", 6, 2)).join(normals, "of_year")
    for row in joined.orderBy("month").collect():
        print(row.month, row.rain_days, row.rain, row.highest, row.lowest, row.normal, sep=",")


main(*sys.argv[1:])
